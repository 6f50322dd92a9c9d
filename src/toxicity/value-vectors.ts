import type { GPT2, GPT2Config } from "../model/index.js";
import { cosine, norm, type Vector } from "@alignscope/tensors/vectors";

/** A neuron of one layer's MLP: its key vector is column `neuron` of c_fc, its value vector row `neuron` of c_proj. */
export interface Neuron {
  layer: number;
  neuron: number;
}

/** A value vector with its cosine to the probe. */
export interface RankedValueVector extends Neuron {
  cosine: number;
  /** Euclidean length of the value vector. */
  norm: number;
}

/** Whether a model has such a neuron. */
export function hasNeuron(
  { nLayer, dMlp }: Pick<GPT2Config, "nLayer" | "dMlp">,
  { layer, neuron }: Neuron,
): boolean {
  const within = (index: number, length: number): boolean =>
    Number.isInteger(index) && index >= 0 && index < length;
  return within(layer, nLayer) && within(neuron, dMlp);
}

/** The neuron at a place among those of all layers, layer after layer. */
export function neuronAt({ dMlp }: Pick<GPT2Config, "dMlp">, place: number): Neuron {
  return { layer: Math.floor(place / dMlp), neuron: place % dMlp };
}

/** The neurons of all layers, in the order of layers. */
export function allNeurons({ config }: Pick<GPT2, "config">): Neuron[] {
  return Array.from({ length: config.nLayer * config.dMlp }, (_, place) => neuronAt(config, place));
}

/** "MLP.v_770^19": the paper's name of a value vector. */
export function nameOf({ layer, neuron }: Neuron): string {
  return `MLP.v_${neuron}^${layer}`;
}

/**
 * The value vectors v_i^l (rows of every layer's c_proj, raw weights) by their cosine with W_toxic, highest first
 * (section 3.1). As published, each layer first contributes its own best `perLayer`; that bounds how many of one layer
 * can be among the best and leaves the leaders as they are.
 *
 * @param probe W_toxic, [dModel]
 * @param options how many
 * @param options.top how many to return (default: all that passed the filter)
 */
export async function rankValueVectors(
  model: GPT2,
  probe: Vector,
  { perLayer = 100, top = Infinity }: { perLayer?: number; top?: number } = {},
): Promise<RankedValueVector[]> {
  const { nLayer, dMlp, dModel } = model.config;
  const passed: RankedValueVector[] = [];
  for (let layer = 0; layer < nLayer; layer += 1) {
    const rows = await model.weight(valueWeights(layer)).data();
    const ranked: RankedValueVector[] = [];
    for (let neuron = 0; neuron < dMlp; neuron += 1) {
      const vector = rows.subarray(neuron * dModel, (neuron + 1) * dModel);
      ranked.push({ layer, neuron, cosine: cosine(vector, probe), norm: norm(vector) });
    }
    passed.push(...ranked.sort(byCosine).slice(0, perLayer));
  }
  return passed.sort(byCosine).slice(0, top);
}

/** The cosine of every value vector of the model with W_toxic, layer after layer: what the ranking is the tail of. */
export async function allCosines(model: GPT2, probe: Vector): Promise<Float64Array> {
  const { nLayer, dMlp, dModel } = model.config;
  const result = new Float64Array(nLayer * dMlp);
  for (let layer = 0; layer < nLayer; layer += 1) {
    const rows = await model.weight(valueWeights(layer)).data();
    for (let neuron = 0; neuron < dMlp; neuron += 1) {
      result[layer * dMlp + neuron] = cosine(rows.subarray(neuron * dModel, (neuron + 1) * dModel), probe);
    }
  }
  return result;
}

/** The value vectors themselves, [dModel] each, in the order of `neurons`. */
export async function readValueVectors(model: GPT2, neurons: readonly Neuron[]): Promise<Float64Array[]> {
  const { dModel } = model.config;
  const layers = new Map<number, Float32Array>();
  const result: Float64Array[] = [];
  for (const { layer, neuron } of neurons) {
    let rows = layers.get(layer);
    if (!rows) layers.set(layer, (rows = (await model.weight(valueWeights(layer)).data()) as Float32Array));
    result.push(Float64Array.from(rows.subarray(neuron * dModel, (neuron + 1) * dModel)));
  }
  return result;
}

function valueWeights(layer: number): string {
  return `h.${layer}.mlp.c_proj.weight`;
}

function byCosine(a: RankedValueVector, b: RankedValueVector): number {
  return b.cosine - a.cosine;
}
