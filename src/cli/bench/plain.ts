import * as tf from "@tensorflow/tfjs-core";
import { oneHot } from "@alignscope/tensors/ops";

/*
 * The operations of a transformer as one composes them from tfjs' own, operation by operation as they stand in the papers:
 * what the library's versions in src/tensors are measured against.
 */

/** See `linear` of src/tensors. */
export function plainLinear(x: tf.Tensor2D, weight: tf.Tensor2D, bias: tf.Tensor1D): tf.Tensor2D {
  return tf.add(tf.matMul(x, weight), bias);
}

/** See `layerNorm` of src/tensors. */
export function plainLayerNorm(
  x: tf.Tensor2D,
  weight: tf.Tensor1D,
  bias: tf.Tensor1D,
  epsilon: number,
): tf.Tensor2D {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), weight), bias);
}

/** GELU in its tanh form, as Hendrycks and Gimpel write it. */
export function plainGelu(x: tf.Tensor2D): tf.Tensor2D {
  const cube = tf.mul(tf.mul(x, x), x);
  const inner = tf.mul(tf.add(x, tf.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
}

/** See `attention` of src/tensors. */
export function plainAttention(
  qkv: tf.Tensor2D,
  bias: tf.Tensor4D,
  batch: number,
  heads: number,
): tf.Tensor2D {
  const dModel = (qkv.shape[1] ?? 0) / 3;
  const dHead = dModel / heads;
  const [q, k, v] = tf
    .split(qkv, 3, 1)
    .map((part) => tf.transpose(tf.reshape(part, [batch, -1, heads, dHead]), [0, 2, 1, 3])) as [
    tf.Tensor4D,
    tf.Tensor4D,
    tf.Tensor4D,
  ];
  const scores = tf.add(tf.div(tf.matMul(q, k, false, true), Math.sqrt(dHead)), bias);
  const read = tf.matMul(tf.softmax(scores), v);
  return tf.reshape(tf.transpose(read, [0, 2, 1, 3]), [-1, dModel]);
}

/** See `crossEntropy` of src/tensors. */
export function plainCrossEntropy(logits: tf.Tensor2D, targets: tf.Tensor1D): tf.Tensor1D {
  const chosen = oneHot(targets, logits.shape[1]);
  return tf.neg(tf.sum<tf.Tensor1D>(tf.mul(tf.logSoftmax(logits), chosen), -1));
}

/** See `embed` of src/tensors. */
export function plainEmbed(table: tf.Tensor2D, ids: tf.Tensor1D): tf.Tensor2D {
  return tf.gather(table, ids);
}
