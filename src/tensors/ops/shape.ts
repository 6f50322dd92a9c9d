import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "../tape.js";

/*
 * Operations whose gradients need no tensor, only shapes. As registered with tfjs they keep their inputs, since it hands
 * a gradient nothing else; a transformer would keep two residual streams per block for nothing.
 */

/** The same values in another shape. */
export function reshape<R extends tf.Rank>(x: tf.Tensor, shape: tf.ShapeMap[R]): tf.Tensor<R> {
  return differentiable([x], () => ({
    value: tf.reshape(x, shape),
    gradient: (dy) => tf.reshape(dy, x.shape),
  }));
}

/** The sum of two tensors of one shape. */
export function add<T extends tf.Tensor>(a: T, b: T): T {
  if (a.shape.join() !== b.shape.join()) {
    throw new Error(`add: [${a.shape}] and [${b.shape}], expected one shape`);
  }
  return differentiable([a, b], () => ({
    value: tf.add(a, b),
    gradient: (dy) => [() => tf.clone(dy), () => tf.clone(dy)],
  }));
}
