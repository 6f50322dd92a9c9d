import * as tf from "@tensorflow/tfjs-core";
import type { Past } from "./attend-past.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/** Keeps a gradient of zeros from dividing by zero, as published. */
const SMALL = 1e-15;

/** A step along a normalised gradient. */
export interface PastStep {
  size: number;
  /** Exponent of the gradient's norm. */
  gamma: number;
  /** Weights of the positions, `[batch, at]`: of the gradient, before its norm is taken. */
  mask: tf.Tensor2D;
}

/**
 * A step of keys and values down their gradient, each row by its own norm over keys and values together:
 * x ← x − size · mask·g / (‖mask·g‖ + 1e-15)^gamma, at the positions before `at`.
 *
 * Keys and values are taken over (they are kept tensors, not part of a tidy): go on with those that are returned. A backend
 * with the fused kernel writes in place.
 *
 * @param factors `[batch, head, 2·(at + 1 + dHead)]`, of {@link attendPast}
 * @returns keys and values, kept, and the norms ‖mask·g‖ + 1e-15, `[batch]`
 */
export function stepPast(
  past: Omit<Past, "pads">,
  factors: tf.Tensor3D,
  { size, gamma, mask }: PastStep,
): { keys: tf.Tensor3D; values: tf.Tensor3D; norms: tf.Tensor1D } {
  const { keys, values, at, heads } = past;
  if (hasKernel(FUSED.stepPast)) {
    const norms = runKernel<tf.Tensor1D>(
      FUSED.stepPast,
      { keys, values, factors, mask },
      { at, heads, size, gamma },
    );
    return { keys, values, norms };
  }
  const stepped = tf.tidy(() => composedStep(past, factors, { size, gamma, mask }));
  tf.dispose([keys, values]);
  const [newKeys, newValues, norms] = stepped;
  return { keys: tf.keep(newKeys), values: tf.keep(newValues), norms };
}

function composedStep(
  { keys, values, at }: Omit<Past, "pads">,
  factors: tf.Tensor3D,
  { size, gamma, mask }: PastStep,
): [keys: tf.Tensor3D, values: tf.Tensor3D, norms: tf.Tensor1D] {
  const [batch, capacity, dModel] = keys.shape;
  const dHead = factors.shape[2] / 2 - at - 1;
  const [dScores, , pattern, , q, dz] = tf.split<tf.Tensor3D>(factors, [at, 1, at, 1, dHead, dHead], -1);
  const weighted = (weights: tf.Tensor3D | undefined): tf.Tensor3D =>
    tf.mul(weights as tf.Tensor3D, tf.expandDims(mask, 1));
  const squares = (x: tf.Tensor | undefined): tf.Tensor => tf.sum(tf.square(x as tf.Tensor), -1);
  const [byKey, byValue] = [weighted(dScores), weighted(pattern)];
  const square = tf.add(tf.mul(squares(byKey), squares(q)), tf.mul(squares(byValue), squares(dz)));
  const norms: tf.Tensor1D = tf.add(tf.sqrt(tf.sum(square, 1)), SMALL);
  const scale = tf.div(-size, tf.pow(norms, gamma));
  const moved = (x: tf.Tensor3D, weights: tf.Tensor3D, direction: tf.Tensor3D | undefined): tf.Tensor3D => {
    const outer = tf.mul(
      tf.reshape(tf.transpose(weights, [0, 2, 1]), [batch, at, -1, 1]),
      tf.expandDims(direction as tf.Tensor3D, 1),
    );
    const move = tf.mul(tf.reshape(outer, [batch, at, dModel]), tf.reshape(scale, [batch, 1, 1]));
    return tf.add(
      x,
      capacity === at
        ? move
        : tf.pad(move, [
            [0, 0],
            [0, capacity - at],
            [0, 0],
          ]),
    );
  };
  return [moved(keys, byKey, q), moved(values, byValue, dz), norms];
}
