import * as tf from "@tensorflow/tfjs-core";

/**
 * 1 at each row's id and 0 elsewhere, `[rows, depth]`, in float32. tf.oneHot is wrong in one of its types on each of two
 * backends: wasm (4.22) writes a float32's one as an integer, webgpu an int32's as a float.
 *
 * @param ids int32 `[rows]`
 */
export function oneHot(ids: tf.Tensor1D, depth: number): tf.Tensor2D {
  return tf.tidy(() => {
    const hit = tf.equal(tf.reshape(ids, [-1, 1]), tf.range(0, depth, 1, "int32"));
    return tf.cast<tf.Tensor2D>(hit as tf.Tensor2D, "float32");
  });
}
