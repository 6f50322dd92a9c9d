import * as tf from "@tensorflow/tfjs-core";
import type { GPT2, Hooks, ProtocolName } from "../model/index.js";
import { UserError } from "@alignscope/base/errors";
import { crossEntropy } from "@alignscope/tensors/ops";
import { readActivations } from "../model/activation-rows.js";

export interface PerplexityOptions {
  /** Tokens per window (default: the model's context). */
  window?: number;
  hooks?: Hooks;
  /**
   * `"as-published"` weights each window's mean loss by its number of tokens, although the first of them is never
   * predicted; `"corrected"` is the exponential of the plain mean over predicted tokens.
   */
  protocol?: ProtocolName;
  /** Windows per forward pass (default: as many as keep the logits near 128 MiB). */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/** What windows of one length add up to: losses in nats. */
interface Window {
  tokens: number;
  meanLoss: number;
}

/**
 * Perplexity of a stream of tokens, cut into windows that do not overlap (docs/recipes.md#perplexity). The last window may
 * be shorter; one of a single token predicts nothing and is left out. Interventions given as `hooks` act at every position.
 *
 * @param ids the tokens of the whole text, without a token for its beginning
 */
export async function perplexity(
  model: GPT2,
  ids: readonly number[],
  { hooks, protocol = "as-published", onProgress, ...cutting }: PerplexityOptions = {},
): Promise<number> {
  const windows: Window[] = [];
  const batches = windowBatches(model, ids, cutting);
  for (const [done, batch] of batches.entries()) {
    const losses = tf.tidy(() => meanLosses(model.forward(batch, { hooks }), batch));
    for (const meanLoss of await losses.data())
      windows.push({ tokens: (batch[0] as number[]).length, meanLoss });
    losses.dispose();
    onProgress?.(done + 1, batches.length);
  }
  return perplexityOf(windows, protocol);
}

/** A change of what the last block writes: `scale` times `vector`, [dModel], is subtracted at every position. */
export interface LastLayerShift {
  vector: ArrayLike<number>;
  scale: number;
}

/** The perplexity of one text under interventions that are not known beforehand. */
export interface LastLayerPerplexity {
  under(shift: LastLayerShift): Promise<number>;
  /** Frees the kept residuals. */
  dispose(): void;
}

/**
 * The perplexity of one text under many interventions on the last block's output, for a search: all that differs between
 * them is the last layer norm and the unembedding, so the residual stream before these is kept, `ids.length * dModel` numbers
 * on the backend. Gives what {@link perplexity} gives with the hooks of `subtractDirection`, to float32 rounding.
 */
export function lastLayerPerplexity(
  model: GPT2,
  ids: readonly number[],
  { protocol = "as-published", ...cutting }: Omit<PerplexityOptions, "hooks" | "onProgress"> = {},
): LastLayerPerplexity {
  const kept = windowBatches(model, ids, cutting).map((batch) => ({
    batch,
    residual: lastResidual(model, batch),
  }));
  return {
    async under(shift) {
      const windows: Window[] = [];
      for (const { batch, residual } of kept)
        windows.push(...(await shiftedWindows(model, batch, residual, shift)));
      return perplexityOf(windows, protocol);
    },
    dispose() {
      for (const { residual } of kept) residual.dispose();
    },
  };
}

/** The residual stream after the last block, [batch, position, dModel]; the caller disposes of it. */
function lastResidual(model: GPT2, batch: number[][]): tf.Tensor3D {
  const name = `blocks.${model.config.nLayer - 1}.hook_resid_post`;
  return readActivations(model, batch, [name], (cache) => tf.clone(cache.at<tf.Tensor3D>(name)));
}

async function shiftedWindows(
  model: GPT2,
  batch: number[][],
  residual: tf.Tensor3D,
  { vector, scale }: LastLayerShift,
): Promise<Window[]> {
  const losses = tf.tidy(() => {
    const shift = tf.tensor(
      Float32Array.from(vector, (value) => value * scale),
      [1, 1, model.config.dModel],
    );
    return meanLosses(model.logitsOf(tf.sub(residual, shift)), batch);
  });
  const data = await losses.data();
  losses.dispose();
  return Array.from(data, (meanLoss, row) => ({ tokens: (batch[row] as number[]).length, meanLoss }));
}

/** Windows grouped into batches of equal width. */
function windowBatches(
  model: GPT2,
  ids: readonly number[],
  { window = model.config.nPositions, batchSize }: Pick<PerplexityOptions, "window" | "batchSize">,
): number[][][] {
  const { nPositions, vocabSize } = model.config;
  if (!(Number.isInteger(window) && window >= 2 && window <= nPositions)) {
    throw new UserError(
      `perplexity window: got ${window}, expected a whole number from 2 to the context of ${nPositions}`,
    );
  }
  if (ids.length < 2) throw new UserError(`perplexity text: got ${ids.length} tokens, expected at least 2`);
  const perBatch = batchSize ?? Math.max(1, Math.floor(2 ** 25 / (window * vocabSize)));
  const windows: number[][] = [];
  for (let from = 0; from < ids.length; from += window) windows.push(ids.slice(from, from + window));
  const full = windows.filter((one) => one.length === window);
  const rest = windows.filter((one) => one.length < window && one.length > 1);
  const batches: number[][][] = [];
  for (let from = 0; from < full.length; from += perBatch) batches.push(full.slice(from, from + perBatch));
  if (rest.length > 0) batches.push(rest);
  return batches;
}

/** [batch]: mean next-token cross-entropy of each row of `logits` [batch, position, vocab]. */
function meanLosses(logits: tf.Tensor3D, batch: number[][]): tf.Tensor1D {
  const [rows, positions, vocab] = logits.shape;
  // The last position predicts nothing: it gets any target, and its loss is cut off again, which is cheaper than
  // cutting it off the logits.
  const targets = tf.tensor1d(
    batch.flatMap((ids) => [...ids.slice(1), 0]),
    "int32",
  );
  const losses = tf.reshape(crossEntropy(tf.reshape(logits, [-1, vocab]), targets), [rows, positions]);
  return tf.mean(tf.slice(losses, [0, 0], [rows, positions - 1]), 1);
}

function perplexityOf(windows: readonly Window[], protocol: ProtocolName): number {
  let sum = 0;
  let weights = 0;
  for (const { tokens, meanLoss } of windows) {
    const weight = protocol === "as-published" ? tokens : tokens - 1;
    sum += meanLoss * weight;
    weights += weight;
  }
  return Math.exp(sum / weights);
}
