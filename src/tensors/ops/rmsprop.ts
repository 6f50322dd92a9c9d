import * as tf from "@tensorflow/tfjs-core";
import { FUSED, hasKernel, runKernel } from "./fused.js";

export interface RmsPropOptions {
  learningRate: number;
  /** Decay of the mean square; torch's `alpha`, 0.99 unless said otherwise. */
  decay?: number;
  /** Added to the root, outside it; torch's `eps`, 1e-8 unless said otherwise. */
  epsilon?: number;
}

/**
 * One step of RMSProp as torch defines it: s ← αs + (1−α)g², θ ← θ − η·g/(√s + ε).
 *
 * `parameter` and `meanSquare` are taken over: go on with what is returned. Where the backend can, it is the same memory.
 *
 * @example
 * ({ parameter, meanSquare } = rmsPropUpdate(parameter, meanSquare, gradient, { learningRate: 1e-5 }));
 */
export function rmsPropUpdate<T extends tf.Tensor>(
  parameter: T,
  meanSquare: T,
  gradient: T,
  { learningRate, decay = 0.99, epsilon = 1e-8 }: RmsPropOptions,
): { parameter: T; meanSquare: T } {
  const shapes = [parameter, meanSquare, gradient].map(({ shape }) => shape.join());
  if (new Set(shapes).size > 1) {
    throw new Error(
      `rmsPropUpdate: parameter [${shapes[0]}], mean square [${shapes[1]}], gradient [${shapes[2]}]: expected one shape`,
    );
  }
  // A clone shares its memory: a model that does must not change under its owner's hands.
  const shared = [parameter, meanSquare].some(({ dataId }) => tf.backend().refCount(dataId) > 1);
  const updated =
    hasKernel(FUSED.rmsProp) && !shared
      ? runKernel<T[]>(FUSED.rmsProp, { parameter, meanSquare, gradient }, { learningRate, decay, epsilon })
      : tf.tidy(() => {
          const square = tf.add<T>(tf.mul(meanSquare, decay), tf.mul(tf.square(gradient), 1 - decay));
          const step = tf.div(tf.mul(gradient, learningRate), tf.add(tf.sqrt(square), epsilon));
          return [tf.sub<T>(parameter, step), square];
        });
  for (const tensor of updated) tf.keep(tensor);
  parameter.dispose();
  meanSquare.dispose();
  return { parameter: updated[0] as T, meanSquare: updated[1] as T };
}
