import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import { dot, mean, type Vector } from "@alignscope/tensors/vectors";
import type { Neuron } from "../toxicity/value-vectors.js";

/**
 * A key vector as the residual stream meets it. With σ(x) the layer norm's scale of x, a neuron's activation is
 * GELU(key · x / σ(x) + bias), whatever the weights' processing.
 */
export interface EffectiveKey {
  /** Column of c_fc with the layer norm's weight and its centring folded in, `[dModel]`. */
  key: Float64Array;
  bias: number;
  /** Column of c_fc as it is, `[dModel]`. */
  column: Float64Array;
}

export async function effectiveKey(model: GPT2, { layer, neuron }: Neuron): Promise<EffectiveKey> {
  const { dModel } = model.config;
  const read = async (name: string): Promise<ArrayLike<number>> => model.weight(`h.${layer}.${name}`).data();
  const slice = tf.slice(model.weight(`h.${layer}.mlp.c_fc.weight`) as tf.Tensor2D, [0, neuron], [dModel, 1]);
  const column = Float64Array.from(await slice.data());
  slice.dispose();
  const weight = await read("ln_2.weight");
  const scaled = column.map((value, d) => value * (weight[d] as number));
  const centre = mean(scaled);
  const bias = ((await read("mlp.c_fc.bias"))[neuron] as number) + dot(await read("ln_2.bias"), column);
  return { key: scaled.map((value) => value - centre), bias, column };
}

/** The layer norm's scale of a residual stream `[dModel]`: √(variance + ε). */
export function normScale(x: Vector, epsilon: number): number {
  const centre = mean(x);
  let squares = 0;
  for (let d = 0; d < x.length; d += 1) squares += ((x[d] as number) - centre) ** 2;
  return Math.sqrt(squares / x.length + epsilon);
}
