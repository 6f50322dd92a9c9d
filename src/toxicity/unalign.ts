import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../model/index.js";
import { hasNeuron, type Neuron } from "./value-vectors.js";

/**
 * Un-aligning (section 5.3, Table 4): a model whose key vectors of some neurons, columns of their layers' c_fc, are
 * multiplied by `factor`; their biases stay. Neurons that alignment made silent answer again.
 *
 * @returns a model that shares all other weights with `model`: dispose of it first
 * @throws UserError for a neuron that the model does not have, or that is named twice
 * @example const changed = await unalign(policy, ranking.slice(0, 7), 10);
 */
export async function unalign(model: GPT2, neurons: readonly Neuron[], factor: number): Promise<GPT2> {
  const { dModel, dMlp } = model.config;
  checkNeurons(model, neurons);
  const replacements = new Map<string, tf.Tensor>();
  for (const layer of new Set(neurons.map((neuron) => neuron.layer))) {
    const name = `h.${layer}.mlp.c_fc.weight`; // [dModel, dMlp]: key vector i is column i
    const keys = Float32Array.from(await model.weight(name).data());
    for (const { neuron } of neurons.filter((one) => one.layer === layer)) {
      for (let row = 0; row < dModel; row += 1)
        keys[row * dMlp + neuron] = (keys[row * dMlp + neuron] as number) * factor;
    }
    replacements.set(name, tf.tensor(keys, [dModel, dMlp]));
  }
  try {
    return model.withWeights(replacements);
  } finally {
    tf.dispose([...replacements.values()]);
  }
}

function checkNeurons({ config }: GPT2, neurons: readonly Neuron[]): void {
  const { nLayer, dMlp } = config;
  const seen = new Set<number>();
  for (const { layer, neuron } of neurons) {
    if (!hasNeuron(config, { layer, neuron })) {
      throw new UserError(
        `unalign: got neuron ${neuron} of layer ${layer}, expected one below ${dMlp} of a layer below ${nLayer}`,
      );
    }
    if (seen.has(layer * dMlp + neuron)) {
      throw new UserError(`unalign: got neuron ${neuron} of layer ${layer} twice, expected each once`);
    }
    seen.add(layer * dMlp + neuron);
  }
}
