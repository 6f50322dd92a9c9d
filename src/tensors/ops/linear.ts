import * as tf from "@tensorflow/tfjs-core";
import { differentiable, isDifferentiating } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";
import { gelu, geluGradient } from "./gelu.js";

/**
 * `x·weight + bias` in the layout of GPT-2's Conv1D.
 *
 * @param x `[rows, in]`
 * @param weight `[in, out]`
 * @param bias `[out]`
 * @returns `[rows, out]`
 */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return differentiable([x, weight, bias], (save) => {
    save([x, weight]);
    return {
      value: tf.fused.matMul({ a: x, b: weight, bias }),
      gradient: (dy, saved) => linearGradient(dy as tf.Tensor2D, saved as [tf.Tensor2D, tf.Tensor2D]),
    };
  });
}

/**
 * `GELU(x·weight + bias)`: the first half of an MLP when nobody listens in between.
 *
 * @param x `[rows, in]`
 * @param weight `[in, out]`
 * @param bias `[out]`
 * @returns `[rows, out]`
 */
export function linearGelu(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  if (!hasKernel(FUSED.linearGelu)) return tf.tidy(() => gelu(linear(x, weight, bias)));
  return differentiable([x, weight, bias], (save) => {
    const keepPre = isDifferentiating();
    const outputs = runKernel<tf.Tensor[]>(FUSED.linearGelu, { x, weight, bias }, { keepPre });
    const [post, pre] = outputs as [tf.Tensor, tf.Tensor | undefined];
    if (pre) save([x, weight, pre, post]);
    return {
      value: post,
      gradient: (dy, saved) => {
        const [input, w, before, after] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor, tf.Tensor];
        return linearGradient(geluGradient(before, after, dy) as tf.Tensor2D, [input, w]);
      },
    };
  });
}

function linearGradient(dy: tf.Tensor2D, [x, weight]: [tf.Tensor2D, tf.Tensor2D]): (() => tf.Tensor)[] {
  return [() => tf.matMul(dy, weight, false, true), () => tf.matMul(x, dy, true, false), () => sumRows(dy)];
}

/** Sums the rows of `x` [rows, width] to [width]; a product with ones is faster than a reduction everywhere. */
function sumRows(x: tf.Tensor2D): tf.Tensor1D {
  return tf.reshape(tf.matMul(tf.ones([1, x.shape[0]]), x), [x.shape[1]]);
}
