import * as tf from "@tensorflow/tfjs-core";
import type { GPT2, Hooks, ProtocolName } from "../model/index.js";
import { reshape } from "@alignscope/tensors/ops";
import { checkTexts } from "./model-pair.js";
import { blocksUpTo } from "../model/hooks.js";
import { byLength } from "../model/padding.js";

export interface MeanOptions {
  /**
   * Which positions the mean is over, each counting as much as any other. `as-published`: all of the texts padded on the
   * left to the longest one's length, the pads among them (difference 15 of docs/discrepancies.md). `corrected`: those
   * of the texts.
   */
  positions?: ProtocolName;
  /** Texts per forward pass. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Means of activations over all texts and positions, at hook points of shape `[batch, position, width]`. Texts go through
 * the model in batches, of which only sums stay: memory does not grow with their number.
 *
 * @param sequences token ids, of any lengths; pads are masked
 * @returns by hook point, `[width]`
 * @throws UserError on no texts, an empty one, and names that are no hook points
 */
export async function meansAt(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  names: readonly string[],
  { positions = "corrected", batchSize = 32, onProgress }: MeanOptions = {},
): Promise<Map<string, Float64Array>> {
  checkTexts("mean activations", sequences);
  const sums = new Map<string, Float64Array>();
  const order = byLength(sequences.map(({ length }) => length));
  let tokens = 0;
  for (let from = 0; from < order.length; from += batchSize) {
    const batch = order.slice(from, from + batchSize).map((i) => sequences[i] as readonly number[]);
    const lengths = batch.map((ids) => ids.length);
    const width = Math.max(...lengths);
    await addSums(model, batch, names, sums, (row, position) =>
      Number(position >= width - (lengths[row] as number)),
    );
    tokens += lengths.reduce((sum, length) => sum + length, 0);
    onProgress?.(Math.min(from + batchSize, order.length), order.length);
  }
  let count = tokens;
  const longest = sequences[order.at(-1) as number]?.length as number;
  const pads = longest * sequences.length - tokens;
  if (positions === "as-published" && pads > 0) {
    // A pad attends to nothing and stands nowhere, so that all of them are alike: one stands for all.
    const { eosTokenId } = model.config;
    const paddedOnce = [[eosTokenId], [eosTokenId, eosTokenId]];
    await addSums(model, paddedOnce, names, sums, (row, position) =>
      row === 0 && position === 0 ? pads : 0,
    );
    count += pads;
  }
  return new Map([...sums].map(([name, sum]) => [name, sum.map((value) => value / count)]));
}

/** Adds what a batch's activations sum to, each position with its weight. */
async function addSums(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  names: readonly string[],
  sums: Map<string, Float64Array>,
  weightOf: (row: number, position: number) => number,
): Promise<void> {
  const batch = model.layOut(sequences, { padding: "masked" });
  const places = batch.batch * batch.length;
  const weights = tf.tensor2d(
    Float32Array.from({ length: places }, (_, i) => weightOf(Math.floor(i / batch.length), i % batch.length)),
    [1, places],
  );
  const made = new Map<string, tf.Tensor>();
  const summing = (x: tf.Tensor, { name }: { name: string }): void => {
    const rows: tf.Tensor2D = reshape(x, [places, x.shape.at(-1) as number]);
    made.set(name, tf.keep(tf.matMul(weights, rows)));
  };
  const hooks: Hooks = Object.fromEntries(names.map((name) => [name, summing]));
  try {
    model.residual(batch, { hooks, stopAtLayer: blocksUpTo(names) }).dispose();
    for (const [name, tensor] of made) {
      const values = await tensor.data();
      const sum = sums.get(name);
      if (sum) values.forEach((value, i) => (sum[i] = (sum[i] as number) + value));
      else sums.set(name, Float64Array.from(values));
    }
  } finally {
    tf.dispose([weights, ...made.values()]);
  }
}
