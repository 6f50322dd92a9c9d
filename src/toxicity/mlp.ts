import type { GPT2 } from "../model/index.js";
import { readValueVectors } from "./value-vectors.js";
import { dot, mean, type Vector } from "@alignscope/tensors/vectors";

/** One block's MLP as a sum of value vectors: MLP(x) = Σᵢ σ(LN(x)·kᵢ + bᵢ) vᵢ + b (equation 2 of the paper). */
export interface MlpVectors {
  /** LN(x): the layer norm before it, with its own weight and bias, of a residual stream [dModel]. */
  normalise(x: Vector): Float64Array;
  /** kᵢ, the columns of c_fc: dMlp of [dModel]. */
  keys: Float64Array[];
  /** bᵢ, [dMlp]. */
  keyBiases: Float64Array;
  /** vᵢ, the rows of c_proj: dMlp of [dModel]. */
  values: Float64Array[];
  /** b, the part of the output that no neuron decides, [dModel]. */
  bias: Float64Array;
}

/**
 * Reads the key and value vectors of a block in float64, so that its MLP can be computed from the definition.
 *
 * @example
 * const { normalise, keys, keyBiases, values } = await readMlp(model, 3);
 * const m = keys.map((k, i) => geluNew(dot(normalise(x), k) + keyBiases[i]));
 */
export async function readMlp(model: GPT2, layer: number): Promise<MlpVectors> {
  const { dMlp, dModel, layerNormEpsilon } = model.config;
  const read = async (name: string): Promise<Float64Array> =>
    Float64Array.from(await model.weight(`h.${layer}.${name}`).data());
  const [weight, bias] = [await read("ln_2.weight"), await read("ln_2.bias")];
  const columns = await read("mlp.c_fc.weight"); // [dModel, dMlp]
  const neurons = Array.from({ length: dMlp }, (_, neuron) => ({ layer, neuron }));
  return {
    normalise: (x) => layerNormed(x, weight, bias, layerNormEpsilon),
    keys: neurons.map(({ neuron }) =>
      Float64Array.from({ length: dModel }, (_, j) => columns[j * dMlp + neuron] as number),
    ),
    keyBiases: await read("mlp.c_fc.bias"),
    values: await readValueVectors(model, neurons),
    bias: await read("mlp.c_proj.bias"),
  };
}

function layerNormed(x: Vector, weight: Vector, bias: Vector, epsilon: number): Float64Array {
  const centre = mean(x);
  const centred = Float64Array.from(x, (value) => value - centre);
  const scale = Math.sqrt(dot(centred, centred) / centred.length + epsilon);
  return centred.map((value, j) => (value / scale) * (weight[j] as number) + (bias[j] as number));
}

/** GPT-2's GELU, with the tanh approximation. */
export function geluNew(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}
