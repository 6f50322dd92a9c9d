import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";

/** Activations by hook point, as {@link readActivations} hands them out. */
export type Activations = (name: string) => tf.Tensor3D;

/**
 * Runs the model over texts (pads masked) and computes something from the activations at some hook points; they are freed
 * before it returns, only what `read` returns stays. The pass ends where nothing further is asked for.
 *
 * @param sequences token ids, one list per text
 * @param names hook points of shape [batch, position, width]
 * @returns what `read` returns; its tensors belong to the caller
 */
export function readActivations<T extends tf.TensorContainer>(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  names: readonly string[],
  read: (activations: Activations) => T,
): T {
  const options = { names, padding: "masked" as const };
  const layers = names.map((name) => Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1));
  const whole = names.some((name) => name.startsWith("ln_final."));
  const { cache, ...rest } = whole
    ? model.runWithCache(sequences, options)
    : model.runWithCache(sequences, { ...options, stopAtLayer: Math.max(...layers) + 1 });
  tf.dispose(rest);
  try {
    return tf.tidy(() => read((name) => cache.at<tf.Tensor3D>(name)));
  } finally {
    cache.dispose();
  }
}
