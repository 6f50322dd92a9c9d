import { mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DpoSettings } from "../../../src/alignment/dpo/index.js";
import { resolveSettings } from "../../../src/alignment/dpo/settings.js";
import type { TokenPair } from "../../../src/alignment/preference-pair.js";
import { gaussian, mulberry32, type GPT2, type GPT2Config } from "../../../src/model/index.js";
import { modelOf } from "../../model/cases.js";
import { randomWeights, type Weights } from "../../referee/index.js";

/** Two blocks, two heads of 4; end of text is 22. */
export const CONFIG: GPT2Config = {
  ...{ nLayer: 2, nHead: 2, nPositions: 24, vocabSize: 23, dModel: 8, dHead: 4, dMlp: 12 },
  ...{ layerNormEpsilon: 1e-5, bosTokenId: 22, eosTokenId: 22 },
};

/** Weights that a float32 holds exactly, large enough for tokens to matter. */
function weightsFor(seed: number): Weights {
  const normal = gaussian(seed);
  return randomWeights(CONFIG, () => Math.fround(0.3 * normal()));
}

/** A model of {@link weightsFor}, each number rounded to float32. */
export function modelFor(seed: number): GPT2 {
  return modelOf({ config: CONFIG, weights: weightsFor(seed) });
}

/** The same weights in float64, as the model has them. */
export function exactWeightsFor(seed: number): Weights {
  return new Map([...weightsFor(seed)].map(([name, values]) => [name, values.map(Math.fround)]));
}

/** Pairs of one to five tokens a side, without end-of-text tokens; no two sides alike. */
export function pairsFor(count: number, seed = 1): TokenPair[] {
  const random = mulberry32(seed);
  const ids = (most: number): number[] =>
    Array.from({ length: 1 + Math.floor(random() * most) }, () => Math.floor(random() * 22));
  return Array.from({ length: count }, (_, i) => {
    const [chosen, rejected] = [ids(5), ids(5)];
    if (chosen.join() === rejected.join()) rejected.push(3);
    return { id: `pair-${i}`, prompt: ids(6), chosen, rejected };
  });
}

/** Settings under which a few steps on {@link modelFor} move a loss. */
export function quick(overrides: Partial<DpoSettings> = {}): DpoSettings {
  return resolveSettings("corrected", { ...QUICK, ...overrides });
}

export const QUICK: Partial<DpoSettings> = {
  ...{ learningRate: 1e-3, warmupSteps: 2, batchSize: 4, validationSize: 6, evaluateEvery: 8, epochs: 2 },
};

export function newRunFolder(): string {
  return mkdtempSync(join(tmpdir(), "alignscope-dpo-"));
}

/** Every file of a run's folder by its path, but for the log's one field that tells of time. */
export function filesOf(folder: string, below = ""): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, below)).sort()) {
    const path = join(below, entry);
    if (statSync(join(folder, path)).isDirectory()) Object.assign(files, filesOf(folder, path));
    else files[path] = readFileSync(join(folder, path)).toString("base64");
  }
  if (files["log.jsonl"]) files["log.jsonl"] = logWithoutTimes(folder);
  return files;
}

/** A run's log, line by line, without the speed of its steps. */
function logWithoutTimes(folder: string): string {
  return readFileSync(join(folder, "log.jsonl"), "utf8").replace(/"tokens_per_second":\d+/g, "");
}
