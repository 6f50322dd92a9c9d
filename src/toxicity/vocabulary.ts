import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import type { Vector } from "@alignscope/tensors/vectors";

/**
 * A vector read in vocabulary space: E v, the dot product of each token's embedding with it (appendix A; Table 1). No
 * layer norm, as published.
 *
 * @param vectors [dModel] each
 * @returns one list of `vocabSize` scores per vector
 */
export async function projectToVocabulary(model: GPT2, vectors: readonly Vector[]): Promise<Float32Array[]> {
  const { vocabSize } = model.config;
  const scores = tf.tidy(() =>
    tf.matMul(tf.tensor2d(vectors.map((v) => Array.from(v))), model.unembedding, false, true),
  );
  const data = (await scores.data()) as Float32Array;
  scores.dispose();
  return vectors.map((_, row) => data.slice(row * vocabSize, (row + 1) * vocabSize));
}

/** Indices of the `count` largest values, largest first; of equal ones the lower index first. */
export function largest(values: ArrayLike<number>, count: number): number[] {
  const best: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (best.length === count && value <= (values[best[count - 1] as number] as number)) continue;
    let place = best.length;
    while (place > 0 && value > (values[best[place - 1] as number] as number)) place -= 1;
    best.splice(place, 0, i);
    if (best.length > count) best.pop();
  }
  return best;
}

/** Shared members over all members of two lists: 1 when they hold the same tokens. */
export function jaccard(a: readonly number[], b: readonly number[]): number {
  const first = new Set(a);
  const shared = new Set(b.filter((item) => first.has(item))).size;
  const all = new Set([...a, ...b]).size;
  return all === 0 ? 1 : shared / all;
}
