import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../model/index.js";
import { allNeurons, hasNeuron, nameOf, type Neuron } from "../toxicity/value-vectors.js";
import { changeOf, vectorSums, type VectorChange } from "./vector-change.js";

/** How the two vectors of one neuron of an MLP changed. */
export interface NeuronChange extends Neuron {
  /** Of its key vector, column `neuron` of c_fc. */
  key: VectorChange;
  /** Of its value vector, row `neuron` of c_proj. */
  value: VectorChange;
}

/**
 * How the key and value vectors of neurons changed between two models (claim C12). One layer's MLP is copied at a time.
 *
 * @param neurons which, in the order of the result; all of the model, layer after layer, unless given
 * @throws UserError where the models' MLPs differ in shape, or there is no such neuron
 *
 * @example
 * const toxic = await compareNeurons(study.model, policy, ranked.slice(0, 128));
 * Math.min(...toxic.map(({ key }) => key.cosine ?? 1));
 */
export async function compareNeurons(
  before: GPT2,
  after: GPT2,
  neurons?: readonly Neuron[],
): Promise<NeuronChange[]> {
  const { nLayer, dMlp, dModel } = before.config;
  const other = after.config;
  if (other.nLayer !== nLayer || other.dMlp !== dMlp || other.dModel !== dModel) {
    throw new UserError(
      `cannot compare neurons: ${nLayer} layers of ${dMlp} at width ${dModel} before, ${other.nLayer} of ${other.dMlp} at ${other.dModel} after, expected the same: compare a model with what was trained from it`,
    );
  }
  const wanted = neurons ?? allNeurons(before);
  const wrong = wanted.find((neuron) => !hasNeuron(before.config, neuron));
  if (wrong) {
    throw new UserError(
      `cannot compare ${nameOf(wrong)}: the model has layers 0 to ${nLayer - 1} of neurons 0 to ${dMlp - 1}`,
    );
  }
  const results: NeuronChange[] = [];
  for (let layer = 0; layer < nLayer; layer += 1) {
    const own = wanted.flatMap((each, place) => (each.layer === layer ? [{ ...each, place }] : []));
    if (own.length === 0) continue;
    const values = (model: GPT2, name: string): Promise<ArrayLike<number>> =>
      model.weight(`h.${layer}.mlp.${name}.weight`).data();
    const [c_fc, c_proj] = ["c_fc", "c_proj"] as const;
    const keys = vectorSums(await values(before, c_fc), await values(after, c_fc), [dModel, dMlp], "columns");
    const written = vectorSums(
      await values(before, c_proj),
      await values(after, c_proj),
      [dMlp, dModel],
      "rows",
    );
    for (const { neuron, place } of own) {
      results[place] = { layer, neuron, key: changeOf(keys, neuron), value: changeOf(written, neuron) };
    }
  }
  return results;
}
