import type { GPT2 } from "../model/index.js";
import { lastActivations } from "./activations.js";
import { allNeurons, readValueVectors } from "./value-vectors.js";
import { dot, mean, unit, type Vector } from "@alignscope/tensors/vectors";

/**
 * What alignment silenced (section 5.2's account of DPO, neuron by neuron): how much less each neuron writes along a
 * direction at the last position of the prompts than before,
 *
 *     (mean m_i(before) − mean m_i(after)) · v_i·W / ‖W‖
 *
 * with the value vectors of `after`, which alignment hardly moves. Positive ones pushed along W and do so less, or pushed
 * against it and do so more.
 *
 * @param prompts token ids
 * @param direction W, [dModel]
 * @returns [nLayer · dMlp], layer after layer
 */
export async function silencedPromotion(
  before: GPT2,
  after: GPT2,
  prompts: readonly (readonly number[])[],
  direction: Vector,
  { batchSize }: { batchSize?: number } = {},
): Promise<Float64Array> {
  const neurons = allNeurons(after);
  const then = (await lastActivations(before, prompts, neurons, { batchSize })).map(mean);
  const now = (await lastActivations(after, prompts, neurons, { batchSize })).map(mean);
  const vectors = await readValueVectors(after, neurons);
  const along = unit(direction);
  return Float64Array.from(
    vectors,
    (vector, i) => ((then[i] as number) - (now[i] as number)) * dot(vector, along),
  );
}
