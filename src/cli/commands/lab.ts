import { InvalidArgumentError, Option, type Command } from "commander";
import { join, resolve } from "node:path";
import { locate } from "../../data/locate.js";
import { LAB_FOLDER } from "../../data/registry.js";
import { UserError } from "@alignscope/base/errors";
import { mirrorFolder, projectRoot } from "@alignscope/base/paths";
import type { LabBuildOptions, LabPart } from "../../lab/build.js";
import { duration } from "../../present/format.js";

type Options = Omit<LabBuildOptions, "parts" | "shape" | "mirror"> & {
  only?: LabPart[];
  layers?: number;
  width?: number;
  heads?: number;
};

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
    .option("--vocabulary <n>", "tokens of a tokenizer that is learnt", positive)
    .option("--toxic-share <x>", "share of toxic tokens in the corpus", positive)
    .option("--layers <n>", "blocks of the model", positive)
    .option("--width <n>", "width of its residual stream", positive)
    .option("--heads <n>", "attention heads of a block", positive)
    .option(
      "--grow <folder>",
      "begin with a run or a model that has as many blocks or fewer, stacked",
      absolute,
    )
    .option("--steps <n>", "training steps in all", positive)
    .option(
      "--anneal <steps>",
      "decay the last checkpoint to a model, aside; the run can go on meanwhile",
      positive,
    )
    .option("--workers <n>", "training threads", positive)
    .option("--sequences <n>", "sequences per thread and step", positive)
    .addOption(new Option("--optimiser <name>", "of the blocks' matrices").choices(["muon", "adamw"]))
    .option("--learning-rate <x>", "peak rate of AdamW", positive)
    .option("--matrix-rate <x>", "peak rate of Muon", positive)
    .option(
      "--activity-penalty <x>",
      "nats that a unit of a neuron's activity adds to a token's loss",
      notNegative,
    )
    .addOption(
      new Option(
        "--precision <type>",
        "of matrix products; bfloat16 takes oneDNN 2 and AVX-512 BF16",
      ).choices(["float32", "bfloat16"]),
    )
    .option("--nice <n>", "give way to other programs, 0 to 19", positive)
    .option("--seed <n>", "decides hold-outs, order and first weights", positive)
    .option("--backend <name>", "cuda, native, webgpu, wasm or cpu")
    .option("--new-tokenizer", "learn a new tokenizer, even where there is one")
    .option("--export-only", "write the model of the last checkpoint without training further")
    .action(async ({ only, layers, width, heads, ...options }: Options) => {
      const { buildLab } = await import("../../lab/build.js");
      let stage = "";
      const started = Date.now();
      let firstStep = -1;
      await buildLab({
        ...options,
        parts: only,
        shape: defined({ nLayer: layers, dModel: width, nHead: heads }),
        mirror: mirrorFolder(),
        onStage: (name, fraction) => {
          if (name === stage && fraction < 1) return;
          stage = name;
          console.log(`${duration(Date.now() - started)}  ${name}${fraction >= 1 ? ": done" : ""}`);
        },
        onTraining: ({ step, steps, loss, validationLoss, tokensPerSecond }) => {
          if (firstStep < 0) firstStep = step - 1;
          const left = ((Date.now() - started) / (step - firstStep)) * (steps - step);
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
    .option("--card", "write them into the model's card, and gates.json beside it")
    .option(
      "--trial <name=folder...>",
      'with --card, a table of other models that have a gates.json, e.g. "AdamW=trial/model"',
    )
    .option("--json", "print JSON")
    .action(gates);
}

interface GatesOptions {
  beside: string;
  validation?: string;
  work?: string;
  backend: string;
  layers?: boolean;
  card?: boolean;
  trial?: string[];
  json?: boolean;
}

async function gates(
  name: string,
  { layers, card, trial = [], json, beside, ...options }: GatesOptions,
): Promise<void> {
  const { labGates } = await import("../../lab/gates.js");
  const { cardOf, readTrial, writeGates } = await import("../../lab/gates-card.js");
  if (trial.length > 0 && !card)
    throw new UserError("--trial: only together with --card, which it adds a table to");
  const trials = trial.map((text) => {
    const [, called = "", folder = ""] = /^(.+?)=(.+)$/.exec(text) ?? [];
    if (!folder) throw new UserError(`--trial: got ${text}, expected NAME=FOLDER`);
    return readTrial(called, folder);
  });
  const { gatesText } = await import("../gates-text.js");
  const folder = await locate(name);
  if (card) cardOf(folder);
  const report = await labGates({
    ...options,
    model: folder,
    beside: await locate(beside),
    onStage: (folder, stage) => console.error(`${folder}: ${stage}`),
  });
  if (card) {
    writeGates(report, trials);
    // Of what the repository carries the checksums are noted.
    if (folder === join(projectRoot(), LAB_FOLDER, "model")) {
      const { freezeLab } = await import("../../lab/freeze.js");
      freezeLab();
    }
  }
  console.log(json ? JSON.stringify(report, null, 2) : gatesText(report, { layers }));
}

/** What was given of some options. */
function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function absolute(path: string): string {
  return resolve(path);
}

function notNegative(text: string): number {
  return Number(text) === 0 ? 0 : positive(text);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError(`expected a positive number, got ${text}`);
  return value;
}
