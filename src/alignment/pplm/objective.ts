import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy } from "../../tensors/ops";
import { differentiable } from "../../tensors/tape";
import type { AttributeModel } from "./attribute";

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

/** Probabilities with 1e-15 added to those that are no larger: p + 1e-15·(p ≤ 1e-15). */
export function awayFromZero<T extends tf.Tensor>(probabilities: T): T {
  return tf.tidy(() =>
    tf.add<T>(probabilities, tf.mul(tf.cast(tf.lessEqual(probabilities, SMALL), "float32"), SMALL)),
  );
}

/**
 * KL(perturbed ‖ unperturbed) of each row, in nats, as PPLM has it: what is added to keep the logarithms finite counts as a
 * constant.
 *
 * @param perturbed probabilities `[row, vocab]`
 * @param unperturbed likewise, {@link awayFromZero}; a constant
 * @returns `[row]`
 */
export function divergence(perturbed: tf.Tensor2D, unperturbed: tf.Tensor2D): tf.Tensor1D {
  return differentiable([perturbed], (save) => {
    const corrected = awayFromZero(perturbed);
    const ratio = tf.log(tf.div(corrected, unperturbed));
    save([ratio]);
    return {
      value: tf.sum(tf.mul(corrected, ratio), -1),
      gradient: (dy, saved) => tf.mul(tf.add(saved[0] as tf.Tensor, 1), tf.reshape(dy, [-1, 1])),
    };
  });
}
