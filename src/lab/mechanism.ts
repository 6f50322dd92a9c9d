import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import { randomDirections } from "../toxicity/interventions.js";
import { readActivations } from "../model/activation-rows.js";
import { rankValueVectors, readValueVectors, type Neuron } from "../toxicity/value-vectors.js";
import { quantile, scaled, type Vector } from "@alignscope/tensors/vectors";
import { largest, projectToVocabulary } from "../toxicity/vocabulary.js";

/** The value vector nearest to W_toxic, beside what random directions find among the same vectors. */
export interface Leadership extends Neuron {
  cosine: number;
  /** 99% quantile, over random directions, of the largest cosine that each has with any value vector. */
  chance: number;
  /** `cosine` over `chance`. */
  ratio: number;
  directions: number;
  valueVectors: number;
}

/**
 * The leader of section 3.1's ranking (value vectors of all layers as they are, not centred; the cosine keeps its sign),
 * and what its cosine would be by chance.
 *
 * @param direction W_toxic, [dModel]
 * @param options the random directions
 * @param options.directions how many; of 2,000, the quantile still varies by 5% with the seed
 */
export async function leadership(
  model: GPT2,
  direction: Vector,
  { directions = 10_000, seed = 0 }: { directions?: number; seed?: number } = {},
): Promise<Leadership> {
  const { nLayer, dModel, dMlp } = model.config;
  const [leader] = await rankValueVectors(model, direction, { perLayer: 1, top: 1 });
  if (!leader) throw new Error("the model has no value vectors");
  const drawn = randomDirections(directions, dModel, seed);
  const best = tf.tidy(() => {
    const units = tf.tensor2d(drawn.map((unit) => Array.from(unit))); // [directions, dModel]
    let highest: tf.Tensor1D = tf.fill([directions], -1);
    for (let layer = 0; layer < nLayer; layer += 1) {
      const vectors = model.weight(`h.${layer}.mlp.c_proj.weight`) as tf.Tensor2D;
      const lengths = tf.maximum(tf.norm(vectors, 2, 1, true), 1e-12);
      highest = tf.maximum(highest, tf.max(tf.matMul(units, tf.div(vectors, lengths), false, true), 1));
    }
    return highest;
  });
  const leaders = Float64Array.from(await best.data()).sort();
  best.dispose();
  const chance = quantile(leaders, 0.99);
  const { layer, neuron, cosine } = leader;
  return { layer, neuron, cosine, chance, ratio: cosine / chance, directions, valueVectors: nLayer * dMlp };
}

/** A value vector that says offensive words. */
export interface Crisp extends Neuron {
  /** Offensive words among the tokens that it promotes most. */
  offensive: number;
}

/**
 * The value vectors with many offensive words among the tokens that they promote most (E v, as in Table 1), layer after
 * layer.
 *
 * @param offensive for each token whether it is an offensive word, [vocabSize] at most
 * @param options what is asked of a vector
 * @param options.count offensive words, at least
 * @param options.among tokens that are looked at
 */
export async function crispVectors(
  model: GPT2,
  offensive: readonly boolean[],
  { count = 5, among = 10 }: { count?: number; among?: number } = {},
): Promise<Crisp[]> {
  const { nLayer, dMlp } = model.config;
  const crisp: Crisp[] = [];
  for (let layer = 0; layer < nLayer; layer += 1) {
    const neurons = Array.from({ length: dMlp }, (_, neuron) => ({ layer, neuron }));
    const projected = await projectToVocabulary(model, await readValueVectors(model, neurons));
    for (const [neuron, scores] of projected.entries()) {
      const found = largest(scores, among).filter((id) => offensive[id]).length;
      if (found >= count) crisp.push({ layer, neuron, offensive: found });
    }
  }
  return crisp;
}

/**
 * At which share of positions each neuron is active: its coefficient m, after layer norm, bias and GELU, is above 0.
 *
 * @param sequences token ids, one list per text
 * @param positions every token of the texts, or the last one of each
 * @returns per layer one share per neuron, [dMlp]
 */
export async function activeShares(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  positions: "all" | "last",
  { batchSize = 16 }: { batchSize?: number } = {},
): Promise<Float64Array[]> {
  const { nLayer, dMlp } = model.config;
  const points = Array.from({ length: nLayer }, (_, layer) => `blocks.${layer}.mlp.hook_post`);
  const sums = points.map(() => new Float64Array(dMlp));
  let read = 0;
  for (let from = 0; from < sequences.length; from += batchSize) {
    const batch = sequences.slice(from, from + batchSize);
    const width = Math.max(...batch.map(({ length }) => length));
    const first = batch.map(({ length }) => width - (positions === "last" ? 1 : length));
    const counts = readActivations(model, batch, points, (cache) => {
      const rows = first.map((start) => Array.from({ length: width }, (_, i) => (i >= start ? 1 : 0)));
      const counted = tf.tensor2d([rows.flat()]); // [1, batch · position]
      return points.map((point) => {
        const active = tf.cast(tf.greater(cache.at(point), 0), "float32");
        return tf.reshape(tf.matMul(counted, tf.reshape(active, [-1, dMlp])), [dMlp]);
      });
    });
    for (const [layer, tensor] of counts.entries()) {
      const data = await tensor.data();
      tensor.dispose();
      const sum = sums[layer] as Float64Array;
      data.forEach((active, neuron) => (sum[neuron] = (sum[neuron] as number) + active));
    }
    read += first.reduce((total, start) => total + width - start, 0);
  }
  return sums.map((sum) => scaled(sum, 1 / read));
}
