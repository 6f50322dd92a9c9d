import type { GPT2, ProtocolName } from "../model/index.js";
import { geluNew } from "../toxicity/mlp.js";
import type { Neuron } from "../toxicity/value-vectors.js";
import { dot, quantile, type Vector } from "@alignscope/tensors/vectors";
import { effectiveKey, normScale } from "./effective-key.js";

/**
 * How strongly residual streams activate a neuron of their own block.
 *
 * - `as-published`: GELU(x · key) with the key as the model holds it, no layer norm and no bias; published with folded
 *   weights (difference 14 of docs/discrepancies.md).
 * - `corrected`: the activation, `mlp.hook_post`.
 *
 * @param residuals `blocks.{neuron.layer}.hook_resid_mid`, `[prompt][dModel]`
 */
export async function activationsOf(
  model: GPT2,
  residuals: readonly Vector[],
  neuron: Neuron,
  activation: ProtocolName = "corrected",
): Promise<number[]> {
  const { key, bias, column } = await effectiveKey(model, neuron);
  if (activation === "as-published") return residuals.map((x) => geluNew(dot(x, column)));
  return residuals.map((x) => geluNew(dot(x, key) / normScale(x, model.config.layerNormEpsilon) + bias));
}

/** How strongly a vector is activated, in words: figure 4's colours. */
export type ActivationLevel = "High" | "Low" | "None";

/** `High` above one threshold, `Low` above the other, else `None`. */
export function activationLevel(
  value: number,
  { high, low }: { high: number; low: number },
): ActivationLevel {
  return value > high ? "High" : value > low ? "Low" : "None";
}

/**
 * A threshold for `High` where the paper's, made for GPT2-medium, means nothing: the 75% quantile of the activations above
 * `low` before alignment, so that a quarter of the prompts that activate the vector do so highly (in the paper 7 of 24).
 * Infinity when none is above.
 */
export function highThreshold(before: readonly number[], low = 0): number {
  const active = before.filter((value) => value > low).sort((a, b) => a - b);
  return active.length === 0 ? Infinity : quantile(active, 0.75);
}
