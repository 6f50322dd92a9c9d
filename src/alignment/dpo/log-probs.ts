import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model";
import type { StepOptions } from "../../model/pass-options";
import { embed, pickLogProb, tokenLogProbs } from "../../tensors/ops";
import type { PairBatch } from "./batch";

/**
 * Log-probability of each side given its prompt, in nats: of the tokens that count, summed (docs/recipes.md#the-loss-of-dpo).
 *
 * @returns `[2·pairs]`, the chosen sides first
 */
export function sideLogProbs(
  model: GPT2,
  batch: PairBatch,
  options: Pick<StepOptions, "gradient"> = {},
): tf.Tensor1D {
  return tf.tidy(() => {
    const read = model.unembeddingInput(batch.batch, batch.at, options);
    const { weight, bias } = model.unembeddingWithBias;
    const picked = tokenLogProbs(read, weight, tf.tensor1d(batch.targets, "int32"), bias);
    return sumsByRow(picked, batch.rows, batch.batch.batch);
  });
}

/** Log-probabilities of sides and KL(reference ‖ policy) along them, see {@link sideLogProbsAndKl}. */
export interface SidesWithKl {
  /** `[2·pairs]`, in nats. */
  logProbs: tf.Tensor1D;
  /** `[2·pairs]`, in nats per position. */
  kl: tf.Tensor1D;
}

/**
 * {@link sideLogProbs}, and for each side KL(reference ‖ policy) = Σ_v π_ref(v) (log π_ref(v) − log π(v)), summed over the
 * vocabulary and averaged over positions: those that predict a token that counts, or, as in the official code, all of the
 * row's, pads and prompt included.
 *
 * @param everyPosition whether the average is over all positions; the batch has to be laid out for it
 */
export function sideLogProbsAndKl(
  policy: GPT2,
  reference: GPT2,
  { batch, at, targets, rows }: PairBatch,
  everyPosition: boolean,
  options: Pick<StepOptions, "gradient"> = {},
): SidesWithKl {
  return tf.tidy(() => {
    const places = everyPosition ? Int32Array.from(batch.ids, (_, i) => i) : at;
    const owners = everyPosition ? places.map((place) => Math.floor(place / batch.length)) : rows;
    const logits = policy.unembed(policy.unembeddingInput(batch, places, options));
    const own = everyPosition ? embed(logits, tf.tensor1d(at, "int32")) : logits;
    const picked = pickLogProb(own, tf.tensor1d(targets, "int32"));
    const frozen = tf.logSoftmax(reference.unembed(reference.unembeddingInput(batch, places)));
    const kl = tf.sum<tf.Tensor1D>(tf.mul(tf.exp(frozen), tf.sub(frozen, tf.logSoftmax(logits))), -1);
    const perRow = Float32Array.from({ length: batch.batch }, () => 0);
    owners.forEach((row) => (perRow[row]! += 1));
    return {
      logProbs: sumsByRow(picked, rows, batch.batch),
      kl: tf.div<tf.Tensor1D>(sumsByRow(kl, owners, batch.batch), tf.tensor1d(perRow)),
    };
  });
}

/** Sums of `values` by the row that each belongs to: a product with ones and zeros, so that it has a gradient everywhere. */
function sumsByRow(values: tf.Tensor1D, rows: Int32Array, count: number): tf.Tensor1D {
  const ones = new Float32Array(count * rows.length);
  rows.forEach((row, i) => (ones[row * rows.length + i] = 1));
  const belongs = tf.tensor2d(ones, [count, rows.length]);
  return tf.reshape(tf.matMul(belongs, tf.reshape(values, [-1, 1])), [count]);
}
