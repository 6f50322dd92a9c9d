import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { crossEntropy } from "@alignscope/tensors/ops";
import { gradientsOf } from "./gradients.js";
import type { GPT2 } from "./gpt2.js";
import type { ForwardOptions } from "./pass-options.js";

/**
 * Mean cross-entropy, in nats, of every token but the first of sequences of equal length.
 *
 * @param logits `[batch, position, vocab]`
 * @param ids the same sequences' tokens
 */
export function nextTokenLoss(logits: tf.Tensor3D, ids: readonly (readonly number[])[]): tf.Scalar {
  const [batch, positions, vocab] = logits.shape;
  if (ids.length !== batch || ids.some((sequence) => sequence.length !== positions) || positions < 2) {
    throw new UserError(
      `next-token loss: got logits [${logits.shape}] and ${ids.length} sequences of ${ids.map((own) => own.length).join(", ")} tokens, expected ${batch} of ${positions}, at least 2 each`,
    );
  }
  const targets = Int32Array.from(ids.flatMap((sequence) => sequence.slice(1)));
  const wrong = targets.find((id) => id < 0 || id >= vocab);
  if (wrong !== undefined) throw new UserError(`next-token loss: token ${wrong}, expected 0 to ${vocab - 1}`);
  return tf.tidy(() => {
    const predicted = tf.slice(logits, [0, 0, 0], [-1, positions - 1, -1]);
    return tf.mean(crossEntropy(tf.reshape(predicted, [-1, vocab]), tf.tensor1d(targets, "int32")));
  });
}

/**
 * The next-token loss of sequences of equal length, and its gradient by every parameter. The logits are there once at
 * most.
 */
export async function lossGradients(
  model: GPT2,
  ids: readonly (readonly number[])[],
): Promise<{ loss: number; gradients: Map<string, tf.Tensor> }> {
  const loss = (options: ForwardOptions): tf.Tensor => tf.neg(tf.mean(model.tokenLogProbs(ids, options)));
  const { value, parameters } = await gradientsOf(model, loss, { parameters: "all" });
  return { loss: value, gradients: parameters };
}
