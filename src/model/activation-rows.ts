import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { ActivationCache } from "./activation-cache.js";
import type { GPT2 } from "./gpt2.js";
import { blocksUpTo, selectHookPoints } from "./hooks.js";
import type { CacheOptions } from "./pass-options.js";
import { byLength } from "./padding.js";

/** What is read of which texts, how many at a time. */
export interface ActivationRowsOptions extends Pick<CacheOptions, "positions" | "padding" | "hooks"> {
  /** Hook points to read at. */
  names: string | readonly string[];
  /** Texts per pass; 32 unless given. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Reads activations of texts, however many: batch by batch, those of like length together so that there is little to pad.
 * A pass ends where the last of the hook points is.
 *
 * @param sequences token ids, one list per text; shorter ones are padded on the left, "masked" unless said otherwise
 * @param read makes of a batch's activations one row per text, `[text, …]`; it gets the cache and the batch's own texts,
 *   and runs in a tidy
 * @returns the rows as numbers, in the order of the texts
 * @throws UserError without texts, for an empty one, and for names that are no hook points
 *
 * @example
 * const point = "blocks.3.hook_resid_mid";
 * const last = await activationRows(model, prompts, { names: point, positions: -1 }, (cache) => tf.squeeze(cache.at(point), [1]));
 * // [prompt][dModel]
 */
export async function activationRows<T extends number | number[] | number[][]>(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  { names, batchSize = 32, padding = "masked", onProgress, ...options }: ActivationRowsOptions,
  read: (cache: ActivationCache, batch: readonly (readonly number[])[]) => tf.Tensor,
): Promise<T[]> {
  if (sequences.length === 0) throw new UserError("activations of no texts: expected at least one");
  const points = selectHookPoints(model.config, names);
  const empty = sequences.findIndex((ids) => ids.length === 0);
  if (empty >= 0) throw new UserError(`text ${empty} is empty: expected at least one token`);
  const order = byLength(sequences.map(({ length }) => length));
  const rows: T[] = [];
  for (let from = 0; from < order.length; from += batchSize) {
    const members = order.slice(from, from + batchSize);
    const batch = members.map((i) => sequences[i] as readonly number[]);
    const found = readActivations(model, batch, points, (cache) => rowsOf(read(cache, batch), batch.length), {
      ...options,
      padding,
    });
    const values = (await found.array()) as T[];
    found.dispose();
    members.forEach((i, row) => (rows[i] = values[row] as T));
    onProgress?.(Math.min(from + batchSize, order.length), order.length);
  }
  return rows;
}

function rowsOf(rows: tf.Tensor, texts: number): tf.Tensor {
  if (rows.shape[0] === texts) return rows;
  throw new UserError(
    `activations: read [${rows.shape}] of ${texts} texts, expected one row per text, [${texts}, …]`,
  );
}

/**
 * Runs the model over texts and computes something from the activations at some hook points; they are freed before it
 * returns, only what `read` returns stays. The pass ends where nothing further is asked for.
 *
 * @param sequences token ids, one list per text; pads are masked unless said otherwise
 * @returns what `read` returns; its tensors belong to the caller
 */
export function readActivations<T extends tf.TensorContainer>(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  names: readonly string[],
  read: (cache: ActivationCache) => T,
  options: Pick<CacheOptions, "positions" | "padding" | "hooks"> = { padding: "masked" },
): T {
  const whole = names.some((name) => name.startsWith("ln_final."));
  const { cache, ...output } = whole
    ? model.runWithCache(sequences, { ...options, names })
    : model.runWithCache(sequences, { ...options, names, stopAtLayer: blocksUpTo(names) });
  tf.dispose(output);
  try {
    return tf.tidy(() => read(cache));
  } finally {
    cache.dispose();
  }
}
