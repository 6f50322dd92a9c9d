import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../model/index.js";
import { cosine, dot } from "@alignscope/tensors/vectors";
import { meansAt, type MeanOptions } from "./mean-at-hooks.js";
import { minus } from "./minus.js";
import { checkLayer, checkPair, type ModelPair } from "./model-pair.js";

/** Mean activations of both models at every hook point that the functions below read, up to a layer. */
export interface ShiftMeans {
  /** The highest layer whose residual stream is among them. */
  highest: number;
  before: ReadonlyMap<string, Float64Array>;
  after: ReadonlyMap<string, Float64Array>;
}

/**
 * One pass of each model over the prompts, for the functions below: means of what is written to the residual stream, of
 * the stream itself at `hook_resid_mid`, and of the MLPs' neurons.
 *
 * @param highest the highest layer to be asked about
 * @throws UserError on models of unequal shape, a layer that they have not, no prompts, and an empty one
 *
 * @example
 * const means = await shiftMeans({ before: gpt2, after: dpo }, prompts, 19);
 * const shift = meanShift(means, 19);
 */
export async function shiftMeans(
  models: ModelPair,
  prompts: readonly (readonly number[])[],
  highest: number,
  { onProgress, ...options }: MeanOptions = {},
): Promise<ShiftMeans> {
  checkPair(models);
  checkLayer("residual shift", highest, models.before.config);
  const below = Array.from({ length: highest }, (_, layer) => layer);
  const names = [
    "hook_embed",
    "hook_pos_embed",
    ...below.flatMap((layer) =>
      ["hook_attn_out", "hook_resid_mid", "mlp.hook_post", "hook_mlp_out"].map(
        (point) => `blocks.${layer}.${point}`,
      ),
    ),
    `blocks.${highest}.hook_attn_out`,
    `blocks.${highest}.hook_resid_mid`,
  ];
  const total = 2 * prompts.length;
  const pass = (model: GPT2, done: number): Promise<Map<string, Float64Array>> =>
    meansAt(model, prompts, names, {
      ...options,
      onProgress: (part) => onProgress?.(done + part, total),
    });
  return { highest, before: await pass(models.before, 0), after: await pass(models.after, prompts.length) };
}

/** δ_x of figure 5: after − before of the mean residual stream `blocks.{layer}.hook_resid_mid`, `[dModel]`. */
export function meanShift(means: ShiftMeans, layer: number): Float64Array {
  checkLayer("residual shift", layer, { nLayer: means.highest + 1 });
  return difference(means, `blocks.${layer}.hook_resid_mid`);
}

/** A part of the model that writes to the residual stream, and what it carries of a shift. */
export interface ComponentShare {
  component: "embedding" | "attention" | "MLP";
  /** null for the embeddings. */
  layer: number | null;
  /** Its own shift along δ, as a share of |δ|; negative where it works against the shift. */
  share: number;
}

/**
 * What the residual stream's shift before the MLP of `layer` is made of: mean over prompts of (written after − written
 * before) · δ / |δ|², for the embeddings and every attention and MLP that has written by then. The shares add up to 1.
 */
export function componentShares(means: ShiftMeans, layer: number): ComponentShare[] {
  const shift = meanShift(means, layer);
  const square = dot(shift, shift);
  const shareOf = (...names: string[]): number =>
    square === 0 ? 0 : names.reduce((sum, name) => sum + dot(difference(means, name), shift), 0) / square;
  const shares: ComponentShare[] = [
    { component: "embedding", layer: null, share: shareOf("hook_embed", "hook_pos_embed") },
  ];
  for (let j = 0; j <= layer; j += 1) {
    shares.push({ component: "attention", layer: j, share: shareOf(`blocks.${j}.hook_attn_out`) });
    if (j < layer) shares.push({ component: "MLP", layer: j, share: shareOf(`blocks.${j}.hook_mlp_out`) });
  }
  return shares;
}

/** How the value vectors of one MLP moved, seen along the shift of a residual stream further up. */
export interface ValueVectorShift {
  /** The MLP's layer. */
  layer: number;
  /** `[neuron]` cosine of δv_i with the shift; 0 where a vector did not move. */
  cosines: Float64Array;
  /** `[neuron]` mean activations. */
  before: Float64Array;
  after: Float64Array;
  /**
   * What the MLP's mean output moves along the shift, over |δ|, in three parts that add up to its share in
   * {@link componentShares}: Σᵢ mᵢ δvᵢ with the aligned model's mean activations m, since the value vectors moved; Σᵢ δmᵢ vᵢ,
   * since what activates them moved; and the bias.
   */
  fromVectors: number;
  fromActivations: number;
  fromBias: number;
  /** Σᵢ mᵢ δvᵢ with the mean activations before alignment, over |δ|. */
  fromVectorsBefore: number;
}

/**
 * Figures 5 and 7 to 10, and section 5.2's argument about them: cosines of the value vectors' shifts in every MLP below
 * `layer` with the shift δ of its residual stream, the neurons' mean activations, and what both make of δ.
 *
 * @param layer at least 1: there are no MLPs below layer 0
 */
export async function valueVectorShifts(
  models: ModelPair,
  means: ShiftMeans,
  layer: number,
): Promise<ValueVectorShift[]> {
  checkPair(models);
  if (layer === 0)
    throw new UserError("value vectors' shifts: layer 0 has no MLP below it, expected 1 or more");
  const shift = meanShift(means, layer);
  const shifts: ValueVectorShift[] = [];
  for (let j = 0; j < layer; j += 1) shifts.push(await shiftOfMlp(models, means, j, shift));
  return shifts;
}

async function shiftOfMlp(
  { before, after }: ModelPair,
  means: ShiftMeans,
  layer: number,
  shift: Float64Array,
): Promise<ValueVectorShift> {
  const { dMlp, dModel } = before.config;
  const read = async (model: GPT2, name: string): Promise<Float32Array> =>
    (await model.weight(`h.${layer}.mlp.c_proj.${name}`).data()) as Float32Array;
  const [rows, moved] = [await read(before, "weight"), await read(after, "weight")];
  const post = `blocks.${layer}.mlp.hook_post`;
  const [m0, m1] = [means.before.get(post) as Float64Array, means.after.get(post) as Float64Array];
  const cosines = new Float64Array(dMlp);
  let [fromVectors, fromVectorsBefore, fromActivations] = [0, 0, 0];
  for (let i = 0; i < dMlp; i += 1) {
    const row = rows.subarray(i * dModel, (i + 1) * dModel);
    const change = minus(moved.subarray(i * dModel, (i + 1) * dModel), row);
    const [own, other] = [m0[i] as number, m1[i] as number];
    const along = dot(change, shift);
    cosines[i] = cosine(change, shift);
    fromVectors += other * along;
    fromVectorsBefore += own * along;
    fromActivations += (other - own) * dot(row, shift);
  }
  const square = dot(shift, shift);
  const share = (along: number): number => (square === 0 ? 0 : along / square);
  return {
    layer,
    cosines,
    before: m0,
    after: m1,
    fromVectors: share(fromVectors),
    fromVectorsBefore: share(fromVectorsBefore),
    fromActivations: share(fromActivations),
    fromBias: share(dot(minus(await read(after, "bias"), await read(before, "bias")), shift)),
  };
}

/**
 * Layers whose sublayers figure 5 draws, at most `most` of them: evenly spread over the MLPs below `layer`, the first and
 * the last among them. For 18 of them these are the published 0, 2, 4, 6, 8, 9, 11, 13, 15 and 17.
 */
export function sublayersToDraw(layer: number, most = 10): number[] {
  const count = Math.min(layer, most);
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (layer - 1)) / (count - 1)),
  );
}

/**
 * Layers for appendix C beside that of figure 5: at most `most` of those with an MLP below, evenly spread. Fewer in a
 * shallow model.
 */
export function otherLayers({ nLayer }: { nLayer: number }, drawn: number, most = 4): number[] {
  const usable = Array.from({ length: Math.max(0, nLayer - 1) }, (_, i) => i + 1).filter(
    (layer) => layer !== drawn,
  );
  const places = sublayersToDraw(usable.length, most);
  return places.map((place) => usable[place] as number);
}

function difference({ before, after }: ShiftMeans, name: string): Float64Array {
  return minus(after.get(name) as Float64Array, before.get(name) as Float64Array);
}
