import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import { readActivations } from "../model/activation-rows.js";
import type { Neuron } from "./value-vectors.js";

/**
 * The coefficients m_i of some neurons at the last position of each text: how strongly it calls upon their value vectors.
 *
 * @param sequences token ids, one list per text
 * @returns one list per neuron, with one number per text
 */
export async function lastActivations(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  neurons: readonly Neuron[],
  { batchSize = 64 }: { batchSize?: number } = {},
): Promise<Float64Array[]> {
  const { dMlp } = model.config;
  const layers = [...new Set(neurons.map(({ layer }) => layer))];
  const point = (layer: number) => `blocks.${layer}.mlp.hook_post`;
  const result = neurons.map(() => new Float64Array(sequences.length));
  for (let from = 0; from < sequences.length; from += batchSize) {
    const batch = sequences.slice(from, from + batchSize);
    const last = readActivations(model, batch, layers.map(point), (cache) =>
      layers.map((layer) => lastPosition(cache.at(point(layer)))),
    );
    for (const [k, tensor] of last.entries()) {
      const data = await tensor.data(); // [batch, dMlp]
      tensor.dispose();
      neurons.forEach(({ layer, neuron }, n) => {
        if (layer !== layers[k]) return;
        batch.forEach(
          (_, row) => ((result[n] as Float64Array)[from + row] = data[row * dMlp + neuron] as number),
        );
      });
    }
  }
  return result;
}

/** The last of the positions: [batch, position, width] to [batch, width]. */
export function lastPosition(x: tf.Tensor3D): tf.Tensor2D {
  const [batch, positions, width] = x.shape;
  return tf.reshape(tf.slice(x, [0, positions - 1, 0], [batch, 1, width]), [batch, width]);
}
