import { InvalidArgumentError, Option, type Command } from "commander";
import { resolve } from "node:path";
import { locate } from "../../data/locate";
import { mirrorFolder } from "../../data/paths";
import { duration } from "../../present/format";

interface Options {
  only?: ("corpus" | "model" | "scorer")[];
  work?: string;
  out?: string;
  steps?: number;
  workers?: number;
  sequences?: number;
  learningRate?: number;
  seed?: number;
  backend?: string;
  newTokenizer?: boolean;
  exportOnly?: boolean;
}

/** `alignscope lab build`: the lab model and the embedded scorer, from public data. */
export function labCommand(program: Command): void {
  const lab = program
    .command("lab")
    .description("build the model and the scorer that the repository carries");
  lab
    .command("build")
    .description(
      "tokenizer, model and toxicity scorer from the public data sets; goes on where it was interrupted",
    )
    .addOption(new Option("--only <part...>", "only these parts").choices(["corpus", "model", "scorer"]))
    .option("--work <folder>", "corpus and checkpoints (default: in the cache)", absolute)
    .option("--out <folder>", "results (default: data/lab)", absolute)
    .option("--steps <n>", "training steps in all", positive)
    .option("--workers <n>", "training threads", positive)
    .option("--sequences <n>", "sequences per thread and step", positive)
    .option("--learning-rate <x>", "peak learning rate", positive)
    .option("--seed <n>", "decides hold-outs, order and first weights", positive)
    .option("--backend <name>", "cuda, native, webgpu, wasm or cpu")
    .option("--new-tokenizer", "learn a new tokenizer, even where there is one")
    .option("--export-only", "write the model of the last checkpoint without training further")
    .action(async ({ only, ...options }: Options) => {
      const { buildLab } = await import("../../lab/build.js");
      let stage = "";
      const started = Date.now();
      let firstStep = -1;
      await buildLab({
        ...options,
        parts: only,
        mirror: mirrorFolder(),
        onStage: (name, fraction) => {
          if (name === stage && fraction < 1) return;
          stage = name;
          console.log(`${duration((Date.now() - started) / 1000)}  ${name}${fraction >= 1 ? ": done" : ""}`);
        },
        onTraining: ({ step, steps, loss, validationLoss, tokensPerSecond }) => {
          if (firstStep < 0) firstStep = step - 1;
          const left = ((Date.now() - started) / 1000 / (step - firstStep)) * (steps - step);
          const held = validationLoss === undefined ? "" : `, held out ${validationLoss.toFixed(3)}`;
          const speed = `${Math.round(tokensPerSecond)} tokens/s, ${duration(left)} left`;
          console.log(`model: step ${step}/${steps}, loss ${loss.toFixed(3)}${held}, ${speed}`);
        },
      });
    });
  lab
    .command("gates")
    .description("whether a model shows the paper's mechanism: five figures, each beside another model's")
    .argument("[model]", "its name in the registry, or the path of its folder", "lab")
    .option("--beside <model>", "the model that it is held against", "lab")
    .option(
      "--validation <file>",
      "JSON Lines with `text` for bits per byte (default: the work folder's)",
      absolute,
    )
    .option(
      "--work <folder>",
      "work folder of the build, with its validation texts (default: in the cache)",
      absolute,
    )
    .option("--backend <name>", "auto, cuda, native, webgpu, wasm or cpu", "auto")
    .option("--layers", "add how many value vectors of each layer say offensive words")
    .option("--json", "print JSON")
    .action(gates);
}

interface GatesOptions {
  beside: string;
  validation?: string;
  work?: string;
  backend: string;
  layers?: boolean;
  json?: boolean;
}

async function gates(name: string, { layers, json, beside, ...options }: GatesOptions): Promise<void> {
  const { labGates } = await import("../../lab/gates.js");
  const { gatesText } = await import("../gates-text.js");
  const report = await labGates({
    ...options,
    model: await locate(name),
    beside: await locate(beside),
    onStage: (folder, stage) => console.error(`${folder}: ${stage}`),
  });
  console.log(json ? JSON.stringify(report, null, 2) : gatesText(report, { layers }));
}

function absolute(path: string): string {
  return resolve(path);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`expected a positive number, got ${text}`);
  return value;
}
