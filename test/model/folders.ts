import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GPT2Config } from "../../src/model/index.js";
import { configJson } from "../../src/model/config.js";
import { initialValues, parameterShapes } from "../../src/model/parameters.js";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";

/** The golden folder: a small random GPT-2 with float64 values beside it. */
export const TINY = join(import.meta.dirname, "..", "fixtures", "tiny-gpt2");

export const SMALL: GPT2Config = {
  nLayer: 2,
  nHead: 2,
  nPositions: 16,
  vocabSize: 23,
  dModel: 8,
  dHead: 4,
  dMlp: 32,
  layerNormEpsilon: 1e-5,
  bosTokenId: 22,
  eosTokenId: 22,
};

export type Tensors = [string, { shape: number[]; data: Float32Array }][];

export function smallTensors(seed = 1): Tensors {
  const values = initialValues(SMALL, seed);
  return [...parameterShapes(SMALL)].map(([name, shape]) => [
    name,
    { shape, data: values.get(name) as Float32Array },
  ]);
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "alignscope-model-"));
}

/** A model folder with these tensors in one file. */
export function modelFolder(tensors: Tensors, dtype: "F32" | "F16" = "F32"): string {
  const folder = newFolder();
  writeFileSync(join(folder, "config.json"), JSON.stringify(configJson(SMALL)));
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(tensors, dtype));
  return folder;
}
