import * as tf from "@tensorflow/tfjs-core";
import type { GPT2, Hooks } from "../model";
import { layOut } from "../model/padding";

/** Activations by hook point, as {@link readActivations} hands them out. */
export type Activations = (name: string) => tf.Tensor3D;

/**
 * Runs the model over texts (pads masked) and computes something from the activations at some hook points; they are freed
 * before it returns, only what `read` returns stays. Spares the unembedding, which nobody here looks at.
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
  const kept = new Map<string, tf.Tensor>();
  const hooks: Hooks = Object.fromEntries(
    names.map((name) => [
      name,
      (activation: tf.Tensor) => void kept.set(name, tf.keep(tf.clone(activation))),
    ]),
  );
  try {
    return tf.tidy(() => {
      // The last layer norm sees the last position only when no more is asked for.
      const lastPositionOnly = !names.some((name) => name.startsWith("ln_final."));
      model.step(layOut(sequences, model.config, "masked"), { hooks, lastPositionOnly });
      return read((name) => {
        const activation = kept.get(name);
        if (!activation) throw new Error(`readActivations: ${name} was not asked for`);
        return activation as tf.Tensor3D;
      });
    });
  } finally {
    tf.dispose([...kept.values()]);
  }
}
