import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

const SQRT_8_OVER_PI = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/**
 * GELU in GPT-2's tanh form (`gelu_new`), written as `x·σ(2√(2/π)(x + 0.044715x³))`: the same function, since
 * (1 + tanh u)/2 = σ(2u), with a kernel that is twenty times faster on wasm.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return differentiable([x], (save) => {
    const post = tf.mul(
      x,
      tf.sigmoid(tf.mul(x, tf.add(tf.mul(tf.square(x), CUBIC * SQRT_8_OVER_PI), SQRT_8_OVER_PI))),
    );
    save([x, post]);
    return {
      value: post,
      gradient: (dy, saved) => geluGradient(saved[0] as tf.Tensor, saved[1] as tf.Tensor, dy),
    };
  });
}

/** The gradient of GELU by its input `pre`, given its value `post`. */
export function geluGradient(pre: tf.Tensor, post: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  if (hasKernel(FUSED.geluGrad)) return runKernel<tf.Tensor>(FUSED.geluGrad, { pre, post, dy });
  return tf.tidy(() => {
    const square = tf.square(pre);
    const gate = tf.sigmoid(tf.mul(pre, tf.add(tf.mul(square, CUBIC * SQRT_8_OVER_PI), SQRT_8_OVER_PI)));
    const inner = tf.add(tf.mul(square, 3 * CUBIC * SQRT_8_OVER_PI), SQRT_8_OVER_PI);
    return tf.mul(dy, tf.add(gate, tf.mul(tf.mul(post, tf.sub(1, gate)), inner)));
  });
}
