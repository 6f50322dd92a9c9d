import * as tf from "@tensorflow/tfjs-core";
import { gaussian, GPT2 } from "../../src/model/index.js";
import type { ModelPair } from "../../src/analysis/index.js";

const TINY = "test/fixtures/tiny-gpt2";

/** Of unequal lengths. */
export const PROMPTS = [[5, 6, 7], [1], [9, 8], [40, 41, 42, 43, 44], [2, 3]];

/** The small model, and one whose every parameter is a little elsewhere. */
export async function tinyPair(processing: "none" | "folded" = "none", size = 0.05): Promise<ModelPair> {
  const before = await GPT2.load(TINY);
  const normal = gaussian(7);
  const replacements = new Map<string, tf.Tensor>();
  for (const name of before.parameterNames) {
    const weight = before.weight(name);
    const values = (await weight.data()).map((value) => value + size * normal());
    replacements.set(name, tf.tensor(Float32Array.from(values), weight.shape));
  }
  const after = before.withWeights(replacements);
  tf.dispose([...replacements.values()]);
  if (processing === "none") return { before, after };
  const pair = { before: before.processed(processing), after: after.processed(processing) };
  disposePair({ before, after });
  return pair;
}

export function disposePair({ before, after }: ModelPair): void {
  after.dispose();
  before.dispose();
}

/** An activation of one text, read in a plain pass over all of it: `[position][width]`. */
export async function plainActivations(
  model: GPT2,
  ids: readonly number[],
  name: string,
): Promise<number[][]> {
  const { logits, cache } = model.runWithCache([ids], { names: name });
  logits.dispose();
  const [rows] = (await cache.at<tf.Tensor3D>(name).array()) as number[][][];
  cache.dispose();
  return rows as number[][];
}
