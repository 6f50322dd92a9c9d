import * as tf from "@tensorflow/tfjs-core";
import { differentiable, isDifferentiating } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";
import { oneHot } from "./one-hot.js";

/**
 * Log-probability of each row's target under the softmax of its logits.
 *
 * @param logits `[rows, classes]`
 * @param targets int32 `[rows]`
 * @returns log p(target) per row, in nats, `[rows]`
 */
export function pickLogProb(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  if (!hasKernel(FUSED.pickLogProb)) return composedPick(logits, targets);
  return differentiable([logits], (save) => {
    const logProbs = runKernel<tf.Tensor>(FUSED.pickLogProb, { logits, targets });
    save([logits, logProbs, targets]);
    return {
      value: logProbs,
      gradient: (dy, saved) => {
        const [input, picked, ids] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
        return runKernel<tf.Tensor>(
          FUSED.pickLogProbGrad,
          { logits: input, logProbs: picked, targets: ids, dy },
          { inPlace: false },
        );
      },
    };
  });
}

function composedPick(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => {
    const chosen = oneHot(targets, logits.shape[1]);
    return tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(logits), chosen), -1);
  });
}

/** Cross-entropy of each row's target, −{@link pickLogProb}: `[rows]`, in nats. */
export function crossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  return tf.tidy(() => tf.neg(pickLogProb(logits, targets)));
}

/** Entries of logits that {@link tokenLogProbs} holds at a time while no gradient is wanted: 64 MiB. */
const CHUNK = 2 ** 24;

/** Rows whose logits it holds at a time. */
export function rowsAtATime(classes: number, chunk = CHUNK): number {
  return Math.max(1, Math.floor(chunk / classes));
}

/**
 * Log-probability of each row's target, from the last hidden states: `log softmax(hidden·unembeddingᵀ + bias)[target]`.
 *
 * The logits, by far the largest tensor of a forward pass, are there once at most: in parts while no gradient is wanted,
 * and with one, the gradient takes their place.
 *
 * @param hidden `[rows, dModel]`, after the last layer norm
 * @param unembedding `[vocab, dModel]`
 * @param targets int32 `[rows]`
 * @param bias `[vocab]`, where the unembedding has one
 * @param chunk the most entries of logits to hold at a time while no gradient is wanted
 * @returns log p(target) per row, in nats, `[rows]`
 */
export function tokenLogProbs(
  hidden: tf.Tensor2D,
  unembedding: tf.Tensor2D,
  targets: tf.Tensor1D,
  bias?: tf.Tensor1D,
  chunk = CHUNK,
): tf.Tensor1D {
  const logitsOf = (rows: tf.Tensor2D): tf.Tensor2D =>
    bias
      ? tf.add<tf.Tensor2D>(tf.matMul(rows, unembedding, false, true), bias)
      : tf.matMul(rows, unembedding, false, true);
  if (!isDifferentiating()) {
    return inParts(hidden, targets, rowsAtATime(unembedding.shape[0], chunk), logitsOf);
  }
  if (bias || !hasKernel(FUSED.pickLogProb)) return tf.tidy(() => pickLogProb(logitsOf(hidden), targets));
  return differentiable([hidden, unembedding], (save) => {
    const logits = logitsOf(hidden);
    const logProbs = runKernel<tf.Tensor>(FUSED.pickLogProb, { logits, targets });
    save([hidden, unembedding, logits, logProbs, targets]);
    return {
      value: logProbs,
      gradient: (dy, saved) => {
        const [input, table, all, picked, ids] = saved as [
          tf.Tensor2D,
          tf.Tensor2D,
          tf.Tensor2D,
          tf.Tensor1D,
          tf.Tensor1D,
        ];
        const dLogits = runKernel<tf.Tensor2D>(
          FUSED.pickLogProbGrad,
          { logits: all, logProbs: picked, targets: ids, dy },
          // Nobody else sees these logits, unless somebody has cloned them.
          { inPlace: tf.backend().refCount(all.dataId) === 1 },
        );
        return [() => tf.matMul(dLogits, table), () => tf.matMul(dLogits, input, true, false)];
      },
    };
  });
}

function inParts(
  hidden: tf.Tensor2D,
  targets: tf.Tensor1D,
  size: number,
  logitsOf: (rows: tf.Tensor2D) => tf.Tensor2D,
): tf.Tensor1D {
  const [rows] = hidden.shape;
  if (rows <= size) return tf.tidy(() => pickLogProb(logitsOf(hidden), targets));
  return tf.tidy(() => {
    const parts: tf.Tensor1D[] = [];
    for (let start = 0; start < rows; start += size) {
      const length = Math.min(size, rows - start);
      const part = tf.tidy(() =>
        pickLogProb(logitsOf(tf.slice(hidden, [start, 0], [length, -1])), tf.slice(targets, start, length)),
      );
      parts.push(part);
    }
    return tf.concat(parts);
  });
}
