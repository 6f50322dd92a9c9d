import { UserError } from "@alignscope/base/errors";
import type { GPT2, ProtocolName } from "../model/index.js";
import { pca } from "@alignscope/tensors/linalg";
import type { Neuron } from "../toxicity/value-vectors.js";
import { cosine, dot, norm, unit, type Vector } from "../toxicity/vectors.js";
import { effectiveKey, normScale } from "./effective-key.js";
import { minus } from "./minus.js";
import { checkLayer, checkTexts } from "./model-pair.js";
import { geluNew } from "@alignscope/tensors/scalar";
import { byLength } from "../model/padding.js";

/** Residual streams of the same prompts before and after alignment, `[prompt][dModel]`. */
export interface ResidualPair {
  before: readonly Vector[];
  after: readonly Vector[];
}

/**
 * The residual stream between attention and MLP of a block, `blocks.{layer}.hook_resid_mid`, at the last position of each
 * prompt: what the block's neurons read when the next token is chosen.
 *
 * @param prompts token ids, of any lengths; pads are masked
 * @returns `[prompt][dModel]`, in the order given
 * @throws UserError on no prompts, an empty one, and a layer that the model has not
 */
export async function lastResiduals(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  layer: number,
  { batchSize = 32 }: { batchSize?: number } = {},
): Promise<Float64Array[]> {
  checkTexts("residual streams", prompts);
  checkLayer("residual streams", layer, model.config);
  const { dModel } = model.config;
  const name = `blocks.${layer}.hook_resid_mid`;
  const result: Float64Array[] = [];
  const order = byLength(prompts.map(({ length }) => length));
  for (let from = 0; from < order.length; from += batchSize) {
    const members = order.slice(from, from + batchSize);
    const batch = members.map((i) => prompts[i] as readonly number[]);
    const { residual, cache } = model.runWithCache(batch, {
      names: name,
      positions: -1,
      padding: "masked",
      stopAtLayer: layer + 1,
    });
    residual.dispose();
    const data = await cache.at(name).data();
    cache.dispose();
    members.forEach((i, row) => {
      result[i] = Float64Array.from(data.subarray(row * dModel, (row + 1) * dModel));
    });
  }
  return result;
}

/** How far and in which directions alignment moves the residual stream. */
export interface ResidualShift {
  /** δ: the mean over prompts of after − before, `[dModel]`. */
  mean: Float64Array;
  /** Each prompt's own shift's cosine with δ. */
  cosines: Float64Array;
  /** Length of each prompt's shift. */
  norms: Float64Array;
  /** Share of the prompts whose shift goes along δ rather than against it, 0 to 1. */
  sameSign: number;
}

/** Section 5.2's shift δ, and how constant it is over prompts (claim C14). */
export function residualShift({ before, after }: ResidualPair): ResidualShift {
  checkRows({ before, after });
  const shifts = after.map((row, i) => minus(row, before[i] as Vector));
  const mean = meanOf(shifts);
  const along = shifts.map((shift) => dot(shift, mean));
  return {
    mean,
    cosines: Float64Array.from(shifts, (shift) => cosine(shift, mean)),
    norms: Float64Array.from(shifts, norm),
    sameSign: along.filter((value) => value > 0).length / shifts.length,
  };
}

/** A prompt's residual streams as points of figure 4. */
export interface ShiftPoint {
  x: number;
  y: number;
}

/**
 * Figure 4's plane: across the shift, up the first principal component of all residual streams, before and after.
 *
 * - `as-published`: each dimension z-scored over all of them (deviation over n − 1); x = z · δ with δ as it is, which is
 *   neither of length 1 nor orthogonal to the component (docs/recipes.md#figures-4-and-6). Exact where the code's PCA is
 *   randomised.
 * - `corrected`: not rescaled; x along δ at length 1, y the first component of what is orthogonal to δ; both are lengths in
 *   the residual stream, measured from the mean of all.
 *
 * @returns points in the order of the prompts; y is 0 where nothing varies
 */
export function projectShift(
  pair: ResidualPair,
  projection: ProtocolName = "corrected",
): { before: ShiftPoint[]; after: ShiftPoint[] } {
  const { mean: shift } = residualShift(pair);
  const rows = [...pair.before, ...pair.after];
  const points = (projection === "as-published" ? standardised : inUnits)(rows, shift);
  return { before: points.slice(0, pair.before.length), after: points.slice(pair.before.length) };
}

function standardised(rows: readonly Vector[], shift: Vector): ShiftPoint[] {
  const { data, scores } = pca(rows, { standardise: true, components: 1 });
  return data.map((z, i) => ({ x: dot(z, shift), y: scores[i]?.[0] as number }));
}

function inUnits(rows: readonly Vector[], shift: Vector): ShiftPoint[] {
  const centre = meanOf(rows);
  const across = norm(shift) === 0 ? shift : unit(shift);
  const along = rows.map((row) => dot(row, across) - dot(centre, across));
  const rest = rows.map((row, i) => minus(minus(row, centre), across, along[i] as number));
  const { scores } = pca(rest, { components: 1 });
  return along.map((x, i) => ({ x, y: scores[i]?.[0] as number }));
}

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
  if (active.length === 0) return Infinity;
  const place = 0.75 * (active.length - 1);
  const [floor, ceiling] = [Math.floor(place), Math.ceil(place)].map((i) => active[i] as number);
  return (floor as number) + (place - Math.floor(place)) * ((ceiling as number) - (floor as number));
}

function checkRows({ before, after }: ResidualPair): void {
  if (before.length === 0) throw new UserError("residual shift got no prompts: expected at least one");
  if (before.length === after.length) return;
  throw new UserError(
    `residual shift: ${before.length} residual streams before and ${after.length} after, expected the same prompts`,
  );
}

function meanOf(rows: readonly Vector[]): Float64Array {
  const sum = new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) sum.forEach((value, d) => (sum[d] = value + (row[d] as number)));
  return sum.map((value) => value / rows.length);
}
