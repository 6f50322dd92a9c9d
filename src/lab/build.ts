import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import { freezeLab } from "../data/freeze-lab.js";
import { cacheFolder, projectRoot } from "@alignscope/base/paths";
import { GPT2 } from "../model/index.js";
import { openBackend } from "@alignscope/tensors";
import { prepareCorpus, type CorpusSummary } from "./corpus.js";
import { modelCard } from "./model-card.js";
import {
  LAB_CONFIG,
  pretrain,
  readCheckpoint,
  readSettings,
  type LossPoint,
  type PretrainProgress,
} from "./pretrain.js";
import { trainScorer } from "./scorer-training.js";
import { LAB_SEED } from "./splits.js";

/** What can be built, in this order: the corpus with its tokenizer, the model, the toxicity scorer. */
export const LAB_PARTS = ["corpus", "model", "scorer"] as const;
export type LabPart = (typeof LAB_PARTS)[number];

export interface LabBuildOptions {
  parts?: readonly LabPart[];
  /** Holds the corpus and the checkpoints; a build that was interrupted goes on from here. */
  work?: string;
  /** Gets the results; `data/lab` unless said otherwise. */
  out?: string;
  /** Folder of the public data sets; else each is looked for by its name in the registry. */
  mirror?: string;
  /** Decides hold-outs, order and first weights. */
  seed?: number;
  steps?: number;
  sequences?: number;
  workers?: number;
  learningRate?: number;
  backend?: string;
  /** Learn a new tokenizer, even where `out` holds one. */
  newTokenizer?: boolean;
  /** Write the model of the last checkpoint as it is, without training further. */
  exportOnly?: boolean;
  onStage?: (stage: string, fraction: number) => void;
  onTraining?: (progress: PretrainProgress) => void;
}

/** Builds the lab model and the embedded scorer from public data; see {@link LAB_PARTS}. */
export async function buildLab(options: LabBuildOptions = {}): Promise<void> {
  const {
    parts = LAB_PARTS,
    work = join(cacheFolder(), "lab-build"),
    out = join(projectRoot(), "data", "lab"),
    seed = LAB_SEED,
  } = options;
  const corpus = join(work, "corpus");
  if (parts.includes("corpus")) await buildCorpus(corpus, join(out, "model"), { ...options, seed });
  if (parts.includes("model")) await buildModel(corpus, join(work, "model"), join(out, "model"), options);
  if (parts.includes("scorer")) {
    await trainScorer(join(out, "scorer"), {
      mirror: options.mirror,
      seed,
      onProgress: ({ stage, done, total }) => options.onStage?.(`scorer: ${stage}`, done / total),
    });
  }
  // Results that go elsewhere are tried out; those in data/lab are what readers get, checksums and all.
  if (!options.out) freezeLab();
}

async function buildCorpus(corpus: string, modelFolder: string, options: LabBuildOptions): Promise<void> {
  const keepsTokenizer = !options.newTokenizer && existsSync(join(modelFolder, "tokenizer.json"));
  await prepareCorpus(corpus, {
    mirror: options.mirror,
    seed: options.seed,
    tokenizer: keepsTokenizer ? modelFolder : undefined,
    onProgress: ({ stage, fraction }) => options.onStage?.(`corpus: ${stage}`, fraction),
  });
}

/** Steps of the committed model: 11.5M tokens, two passes through the corpus. */
const LAB_STEPS = 5600;

async function buildModel(
  corpus: string,
  work: string,
  out: string,
  options: LabBuildOptions,
): Promise<void> {
  const description = join(corpus, "corpus.json");
  if (!existsSync(description)) {
    throw new UserError(
      `no corpus in ${corpus}: build it first (\`npx alignscope lab build --only corpus\`)`,
    );
  }
  if (!options.exportOnly) {
    const { steps = LAB_STEPS, sequences, workers, learningRate, seed, backend } = options;
    const onProgress = options.onTraining;
    await pretrain({
      corpus,
      folder: work,
      steps,
      sequences,
      workers,
      learningRate,
      seed,
      backend,
      onProgress,
    });
  }
  const { step, values } = readCheckpoint(work);
  await openBackend(options.backend ?? "wasm");
  const model = GPT2.fromValues(LAB_CONFIG, values);
  await model.save(out, { dtype: "F16" });
  model.dispose();
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    if (existsSync(join(corpus, name))) copyFileSync(join(corpus, name), join(out, name));
  }
  const curve = readFileSync(join(work, "loss.jsonl"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LossPoint)
    .filter((point) => point.step <= step);
  writeFileAtomic(join(out, "loss.jsonl"), curve.map((point) => `${JSON.stringify(point)}\n`).join(""));
  const summary = JSON.parse(readFileSync(description, "utf8")) as CorpusSummary;
  writeFileAtomic(
    join(out, "README.md"),
    modelCard(LAB_CONFIG, summary, curve, { ...readSettings(work), step }),
  );
}
