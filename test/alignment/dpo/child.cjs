/*
 * Trains a tiny GPT-2 in a process of its own, for a parent that ends it at any moment. Prints a line per step.
 *
 *   node child.cjs FOLDER [--die STAGE NTH] [--abort STEP] [--learning-rate RATE]
 *
 * --die: ends itself as kill -9 does before the NTH time that a checkpoint reaches STAGE.
 */
const { join } = require("node:path");
const dist = join(__dirname, "..", "..", "..", "dist", "src");
const { run, trainDpo } = require(join(dist, "alignment", "dpo", "train.js"));
const { GPT2 } = require(join(dist, "model", "index.js"));
const { openBackend } = require("@alignscope/tensors");
const { mulberry32 } = require("@alignscope/base/random");

const [folder, ...rest] = process.argv.slice(2);
const after = (name) => (rest.includes(name) ? rest.slice(rest.indexOf(name) + 1) : []);

const random = mulberry32(7);
const ids = (most) =>
  Array.from({ length: 2 + Math.floor(random() * most) }, () => Math.floor(random() * 130));
const pairs = Array.from({ length: 40 }, (_, i) => {
  return { id: `pair-${i}`, prompt: ids(6), chosen: ids(6), rejected: ids(6) };
});

async function main() {
  await openBackend("wasm");
  const model = await GPT2.load(join(__dirname, "..", "..", "fixtures", "tiny-gpt2"));
  const [stage, nth] = after("--die");
  const [abortAt] = after("--abort");
  const [learningRate = "1e-4"] = after("--learning-rate");
  const controller = new AbortController();
  let reached = 0;
  const options = {
    ...{ model, pairs, folder, learningRate: Number(learningRate), warmupSteps: 5, batchSize: 2 },
    ...{ validationSize: 8, evaluateEvery: 4, checkpointEvery: 2, epochs: 2, patience: 100 },
    signal: controller.signal,
    onProgress: ({ phase, step, loss }) => {
      if (phase === "training" && loss !== undefined) process.stdout.write(`step ${step}\n`);
      if (abortAt !== undefined && step === Number(abortAt)) controller.abort();
    },
  };
  if (stage === undefined) {
    await trainDpo(options);
  } else {
    await run(options, (at) => {
      if (at !== stage) return;
      reached += 1;
      if (reached === Number(nth)) process.kill(process.pid, "SIGKILL");
    });
  }
  process.stdout.write("done\n");
}

main().catch((error) => {
  process.stderr.write(`${error.name}: ${error.message}\n`);
  process.exitCode = 1;
});
