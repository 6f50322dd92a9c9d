import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { centre } from "@alignscope/tensors/ops";
import type { ActivationCache } from "./activation-cache.js";
import type { GPT2Config } from "./config.js";
import type { GPT2 } from "./gpt2.js";
import { blocksBefore } from "./hooks.js";

/**
 * What to divide a residual stream by before it is unembedded.
 *
 * - `as-published`: centred, and divided by the layer-norm scale of the *final* residual stream, whatever the layer
 *   (TransformerLens 1.12's `apply_ln`, docs/recipes.md#figure-1).
 * - `own-layer-norm`: through ln_f with its own statistics, as if the model ended there.
 */
export type Normalisation = "as-published" | "own-layer-norm";

export interface AccumulatedOptions {
  /** Up to the input of this block; negative counts from the end, and −1 or nothing means the final residual stream. */
  layer?: number;
  /** Also between attention and MLP; true unless said otherwise. */
  includeMid?: boolean;
}

/** One row of {@link accumulatedResidual}: its label, and the hook point it is kept at. */
export interface ResidualRow {
  /** `0_pre`, `0_mid`, …, or `final_post`. */
  label: string;
  name: string;
}

/** The rows of {@link accumulatedResidual}, in order: what `runWithCache` is to keep for it. */
export function residualRows(
  { nLayer }: Pick<GPT2Config, "nLayer">,
  { layer = -1, includeMid = true }: AccumulatedOptions = {},
): ResidualRow[] {
  const end = layer === -1 ? nLayer : blocksBefore(layer, { nLayer });
  const rows: ResidualRow[] = [];
  for (let block = 0; block < end; block++) {
    rows.push({ label: `${block}_pre`, name: `blocks.${block}.hook_resid_pre` });
    if (includeMid) rows.push({ label: `${block}_mid`, name: `blocks.${block}.hook_resid_mid` });
  }
  rows.push(
    end === nLayer
      ? { label: "final_post", name: `blocks.${nLayer - 1}.hook_resid_post` }
      : { label: `${end}_pre`, name: `blocks.${end}.hook_resid_pre` },
  );
  return rows;
}

/**
 * The residual stream as it grows: before each block, after its attention, and after the last block
 * (TransformerLens' `accumulated_resid`).
 *
 * @param cache holds the hook points of {@link residualRows}, at the same positions each
 * @param options which rows, and what they are divided by
 * @param options.normalisation leaves the rows as they are unless given
 * @returns labels, and their residual streams `[row, batch, position, dModel]`, which the caller disposes of
 *
 * @example
 * const names = residualRows(model.config).map(({ name }) => name);
 * const { logits, cache } = model.runWithCache(ids, { names, positions: -1 });
 * const { labels, stack } = accumulatedResidual(model, cache, { normalisation: "as-published" });
 */
export function accumulatedResidual(
  model: GPT2,
  cache: ActivationCache,
  { normalisation, ...which }: AccumulatedOptions & { normalisation?: Normalisation } = {},
): { labels: string[]; stack: tf.Tensor4D } {
  const rows = residualRows(model.config, which);
  const final = `blocks.${model.config.nLayer - 1}.hook_resid_post`;
  const stack = tf.tidy(() => {
    const raw = tf.stack(rows.map(({ name }) => cache.at<tf.Tensor3D>(name))) as tf.Tensor4D;
    if (!normalisation) return raw;
    const scale = normalisation === "as-published" ? scaleOf(model, cache.at<tf.Tensor3D>(final)) : undefined;
    return normalise(model, raw, scale);
  });
  return { labels: rows.map(({ label }) => label), stack };
}

/**
 * Residual streams as the unembedding reads them, with the final residual stream's `scale` or, without one, through ln_f
 * with their own. A frozen scale leaves ln_f's bias out, as published.
 */
function normalise<T extends tf.Tensor>(model: GPT2, residual: T, scale?: tf.Tensor): T {
  const own = centre(residual, model.config.layerNormEpsilon);
  const scaled = tf.mul(tf.div(own.centred, scale ?? own.scale), model.weight("ln_f.weight"));
  return scale ? (scaled as T) : tf.add<T>(scaled, model.weight("ln_f.bias"));
}

/** The layer-norm scale √(variance + ε) of residual streams `[…, dModel]`: `[…, 1]`. */
export function scaleOf(model: GPT2, residual: tf.Tensor): tf.Tensor {
  return centre(residual, model.config.layerNormEpsilon).scale;
}

/** Refuses what is no token of the model. */
export function checkToken(token: number, { vocabSize }: GPT2Config): void {
  if (Number.isInteger(token) && token >= 0 && token < vocabSize) return;
  throw new UserError(`token ${token}: expected 0 to ${vocabSize - 1}`);
}
