import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "@alignscope/tensors/ops";
import { differentiable } from "@alignscope/tensors/tape";
import type { AttributeModel } from "./attribute.js";

/** An {@link AttributeModel} on the backend. */
export class AttributeHead {
  readonly stream: AttributeModel["stream"];
  private readonly weight: tf.Tensor2D;
  private readonly bias: tf.Tensor1D;
  private readonly target: number;

  constructor({ weight, bias, target, stream }: AttributeModel) {
    this.weight = tf.keep(tf.tensor2d(weight));
    this.bias = tf.keep(tf.tensor1d(bias));
    this.target = target;
    this.stream = stream;
  }

  /**
   * −log P(target | mean), in nats.
   *
   * @param mean `[row, dModel]`
   * @returns `[row]`
   */
  losses(mean: tf.Tensor2D): tf.Tensor1D {
    return tf.tidy(() => {
      const scores: tf.Tensor2D = tf.add(tf.matMul(mean, this.weight, false, true), this.bias);
      return crossEntropy(scores, tf.fill([mean.shape[0]], this.target, "int32"));
    });
  }

  dispose(): void {
    tf.dispose([this.weight, this.bias]);
  }
}

/** What keeps PPLM's logarithms finite. */
const SMALL = 1e-15;

/**
 * Log-probabilities of rows of logits, none below log 1e-15: PPLM adds 1e-15 to probabilities that are no larger, which is the
 * same to float32's precision wherever a probability weighs in.
 *
 * @param probabilities the softmax of `logits`, where it is there already
 */
export function boundedLogProbs(
  logits: tf.Tensor2D,
  probabilities: tf.Tensor2D = tf.softmax(logits),
): tf.Tensor2D {
  return tf.tidy(() => {
    // The likeliest token's, which is far from 0, says what all logits exceed their log-probabilities by.
    const excess = tf.sub(tf.max(logits, -1, true), tf.log(tf.max(probabilities, -1, true)));
    return tf.clipByValue(tf.sub<tf.Tensor2D>(logits, excess), Math.log(SMALL), 1);
  });
}

/**
 * KL(perturbed ‖ unperturbed) of each row, in nats.
 *
 * @param perturbed probabilities `[row, vocab]`, which a gradient can be taken by
 * @param logits those that they are the softmax of
 * @param unperturbed log-probabilities, {@link boundedLogProbs}; a constant
 * @returns `[row]`
 */
export function divergence(
  perturbed: tf.Tensor2D,
  logits: tf.Tensor2D,
  unperturbed: tf.Tensor2D,
): tf.Tensor1D {
  return differentiable([perturbed], (save) => {
    const ratio = tf.sub(boundedLogProbs(logits, perturbed), unperturbed);
    save([ratio]);
    return {
      value: tf.sum(tf.mul(perturbed, ratio), -1),
      gradient: (dy, saved) => tf.mul(tf.add(saved[0] as tf.Tensor, 1), tf.reshape(dy, [-1, 1])),
    };
  });
}
