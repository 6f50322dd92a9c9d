import { InvalidArgumentError, Option, type Command } from "commander";
import { resolve } from "node:path";
import { mirrorFolder } from "@alignscope/base/paths";
import { duration } from "../../present/format.js";

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
}

function absolute(path: string): string {
  return resolve(path);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`expected a positive number, got ${text}`);
  return value;
}
