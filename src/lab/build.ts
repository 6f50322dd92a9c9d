import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { copyFileAtomic, writeFileAtomic } from "@alignscope/base/files";
import { cacheFolder, projectRoot } from "@alignscope/base/paths";
import { GPT2, type GPT2Config } from "../model/index.js";
import { parameterShapes } from "../model/parameters.js";
import { openBackend } from "@alignscope/tensors";
import { prepareCorpus, type CorpusOptions, type CorpusSummary } from "./corpus.js";
import { freezeLab } from "./freeze.js";
import { lossCurve } from "./loss-curve.js";
import { modelCard } from "./model-card.js";
import {
  annealing,
  pretrain,
  readCheckpoint,
  readCurve,
  readSettings,
  stacked,
  type Grown,
  type PretrainProgress,
} from "./pretrain.js";
import { LAB_SHAPE, labConfig, type LabShape, type PretrainSettings } from "./pretrain-settings.js";
import { giveWay } from "./priority.js";
import { trainScorer } from "./scorer-training.js";
import { LAB_SEED } from "./splits.js";

/** What can be built, in this order: the corpus with its tokenizer, the model, the toxicity scorer. */
export const LAB_PARTS = ["corpus", "model", "scorer"] as const;
export type LabPart = (typeof LAB_PARTS)[number];

export interface LabBuildOptions
  extends Partial<PretrainSettings>, Pick<CorpusOptions, "vocabulary" | "toxicShare"> {
  parts?: readonly LabPart[];
  /** Holds the corpus and the checkpoints; a build that was interrupted goes on from here. */
  work?: string;
  /** Gets the results; `data/lab` unless said otherwise. */
  out?: string;
  /** Folder of the public data sets; else each is looked for by its name in the registry. */
  mirror?: string;
  shape?: Partial<LabShape>;
  steps?: number;
  backend?: string;
  /** Learn a new tokenizer, even where `out` holds one. */
  newTokenizer?: boolean;
  /** Folder of a run, or of a model, with as many blocks or fewer: what it has learnt is stacked to begin with. */
  grow?: string;
  /** Take the last checkpoint aside and decay it to a model in so many steps; the run itself stays as it is. */
  anneal?: number;
  /** Write the model of the last checkpoint as it is, without training further. */
  exportOnly?: boolean;
  /** Niceness of the process and its threads, 0 to 19: how gladly it gives way. */
  nice?: number;
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
  if (options.nice !== undefined) giveWay(options.nice);
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
  const { mirror, seed, vocabulary, toxicShare } = options;
  await prepareCorpus(corpus, {
    mirror,
    seed,
    vocabulary,
    toxicShare,
    tokenizer: keepsTokenizer ? modelFolder : undefined,
    onProgress: ({ stage, fraction }) => options.onStage?.(`corpus: ${stage}`, fraction),
  });
}

/** Steps of the stable run, at 8,192 tokens each: 120M tokens. */
const LAB_STEPS = 14_648;

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
  const summary = JSON.parse(readFileSync(description, "utf8")) as CorpusSummary;
  const run = { corpus, backend: options.backend, onProgress: options.onTraining };
  let folder = work;
  if (options.anneal !== undefined) {
    const aside = annealing(work, options.anneal);
    folder = aside.folder;
    await pretrain({ ...run, ...aside.options, folder });
  } else if (!options.exportOnly) {
    const config = labConfig(summary.vocabSize, { ...LAB_SHAPE, ...options.shape });
    const initial = options.grow === undefined ? undefined : await grown(options.grow, config);
    await pretrain({ ...run, ...options, config, initial, folder, steps: options.steps ?? LAB_STEPS });
  }
  const { step, values } = readCheckpoint(folder);
  const settings = readSettings(folder);
  await openBackend(options.backend ?? "wasm");
  const model = GPT2.fromValues(settings.config, values);
  await model.save(out, { dtype: "F16" });
  model.dispose();
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    copyFileAtomic(join(corpus, name), join(out, name));
  const curve = readCurve(folder, step);
  writeFileAtomic(join(out, "loss.jsonl"), curve.map((point) => `${JSON.stringify(point)}\n`).join(""));
  writeFileAtomic(join(out, "loss.svg"), await lossCurve(curve));
  writeFileAtomic(join(out, "corpus.json"), readFileSync(description));
  writeFileAtomic(join(out, "README.md"), modelCard(summary, curve, { ...settings, step }));
}

/** What a run's last checkpoint or a saved model has learnt, stacked where it has fewer blocks than `config`. */
export async function grown(folder: string, config: GPT2Config): Promise<Grown> {
  const seen = (step?: number): number => readCurve(folder, step).at(-1)?.tokensSeen ?? 0;
  if (!existsSync(join(folder, "config.json"))) {
    const { config: from } = readSettings(folder);
    const { step, values } = readCheckpoint(folder);
    return { values: stacked(values, from, config), layers: from.nLayer, tokensSeen: seen(step) };
  }
  await openBackend("wasm");
  const model = await GPT2.load(folder);
  const values = new Map<string, Float32Array>();
  for (const name of parameterShapes(model.config).keys()) {
    values.set(name, (await model.weight(name).data()) as Float32Array);
  }
  const { config: from } = model;
  model.dispose();
  return { values: stacked(values, from, config), layers: from.nLayer, tokensSeen: seen() };
}
