import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "../tensors/ops";
import type { GPT2 } from "./gpt2";

/**
 * Mean cross-entropy, in nats, of every token but the first of sequences of equal length.
 *
 * @param logits `[batch, position, vocab]`
 * @param ids the same sequences' tokens
 */
export function nextTokenLoss(logits: tf.Tensor3D, ids: readonly (readonly number[])[]): tf.Scalar {
  const [, positions, vocab] = logits.shape;
  const predicted = tf.slice(logits, [0, 0, 0], [-1, positions - 1, -1]);
  const targets = Int32Array.from(ids.flatMap((sequence) => sequence.slice(1)));
  return tf.mean(crossEntropy(tf.reshape(predicted, [-1, vocab]), tf.tensor1d(targets, "int32")));
}

/** The next-token loss of sequences of equal length, and its gradient by every parameter. */
export async function lossGradients(
  model: GPT2,
  ids: readonly (readonly number[])[],
): Promise<{ loss: number; gradients: Map<string, tf.Tensor> }> {
  const names = model.parameterNames;
  const loss = (...values: tf.Tensor[]): tf.Scalar => {
    const replaced = model.withParameters(new Map(names.map((name, i) => [name, values[i] as tf.Tensor])));
    return nextTokenLoss(replaced.forward(ids), ids);
  };
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => model.weight(name)));
  const [number = Number.NaN] = await value.data();
  value.dispose();
  return { loss: number, gradients: new Map(names.map((name, i) => [name, grads[i] as tf.Tensor])) };
}
