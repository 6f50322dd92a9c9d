import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/**
 * Layer normalisation over the last axis.
 *
 * @param x `[rows, width]`
 * @param weight `[width]`
 * @param bias `[width]`
 */
export function layerNorm(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): tf.Tensor2D {
  if (!hasKernel(FUSED.layerNorm)) return tf.tidy(() => layerNormParts(x, weight, bias, epsilon).output);
  return differentiable([x, weight, bias], (save) => {
    save([x, weight]);
    return {
      value: runKernel<tf.Tensor>(FUSED.layerNorm, { x, weight, bias }, { epsilon }),
      gradient: (dy, saved) => {
        const [input, w] = saved as [tf.Tensor, tf.Tensor];
        return runKernel<tf.Tensor[]>(FUSED.layerNormGrad, { x: input, weight: w, dy }, { epsilon });
      },
    };
  });
}

/** {@link layerNorm} in its parts, for hooks: the scale `[rows, 1]`, the normalised input and the output. */
export function layerNormParts(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): { scale: tf.Tensor2D; normalized: tf.Tensor2D; output: tf.Tensor2D } {
  return tf.tidy(() => {
    const { centred, scale } = centre(x, epsilon);
    const normalized = tf.div<tf.Tensor2D>(centred, scale);
    const output = tf.add<tf.Tensor2D>(tf.mul(normalized, weight), bias);
    return { scale, normalized, output };
  });
}

/**
 * What a layer norm divides, and by what: x less its mean over the last axis, and √(variance + ε).
 *
 * @param x `[…, width]`
 * @returns centred `[…, width]`, scale `[…, 1]`
 */
export function centre<T extends tf.Tensor>(x: T, epsilon: number): { centred: T; scale: T } {
  return tf.tidy(() => {
    const centred = tf.sub<T>(x, tf.mean(x, -1, true));
    const scale = tf.sqrt<T>(tf.add<T>(tf.mean<T>(tf.square(centred), -1, true), epsilon));
    return { centred, scale };
  });
}
