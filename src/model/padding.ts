import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../data/errors";
import type { GPT2Config } from "./config";

/**
 * How sequences of unequal length share a batch; both pad on the left with the end-of-text token.
 *
 * - `masked`: pads are hidden from attention, and positions count from the first real token.
 * - `as-published`: no mask, positions count from the left edge, so that a short prompt is prefixed by end-of-text tokens
 *   (what the official evaluation does, paper.md A2).
 */
export type Padding = "masked" | "as-published";

/** Far below any score, and finite: a softmax over it is exactly 0 in float32, and no backend meets an infinity. */
const HIDDEN = -1e9;

/** A rectangular batch. All arrays are `[batch, position]`, row by row. */
export interface Batch {
  ids: Int32Array;
  positions: Int32Array;
  /** Pads before each row's first token. */
  pads: number[];
  batch: number;
  length: number;
}

/** Lays sequences out as one batch; unequal lengths need a padding. */
export function layOut(
  sequences: readonly (readonly number[])[],
  config: GPT2Config,
  padding?: Padding,
): Batch {
  if (sequences.length === 0) throw new UserError("empty batch: expected at least one sequence of tokens");
  const lengths = sequences.map((sequence) => sequence.length);
  const length = Math.max(...lengths);
  const empty = lengths.indexOf(0);
  if (empty >= 0) throw new UserError(`sequence ${empty} is empty: a prompt needs at least one token`);
  if (length > config.nPositions) {
    throw new UserError(
      `sequence ${lengths.indexOf(length)} has ${length} tokens, the model's context holds ${config.nPositions}: shorten it`,
    );
  }
  if (!padding && lengths.some((own) => own !== length)) {
    throw new UserError(
      `sequences of ${Math.min(...lengths)} to ${length} tokens in one batch: say padding "masked" or "as-published"`,
    );
  }
  const batch = sequences.length;
  const ids = new Int32Array(batch * length).fill(config.eosTokenId);
  const positions = new Int32Array(batch * length);
  const pads = lengths.map((own) => length - own);
  sequences.forEach((sequence, row) => {
    const pad = pads[row] ?? 0;
    sequence.forEach((id, i) => {
      if (!Number.isInteger(id) || id < 0 || id >= config.vocabSize) {
        throw new UserError(
          `sequence ${row}: token id ${id} at position ${i}, expected 0 to ${config.vocabSize - 1}`,
        );
      }
    });
    ids.set(sequence, row * length + pad);
    for (let i = 0; i < length; i++) {
      positions[row * length + i] = padding === "as-published" ? i : Math.max(0, i - pad);
    }
  });
  return { ids, positions, pads, batch, length };
}

/**
 * What is added to attention scores: 0 where a query may look, a large negative number where it may not.
 *
 * @param queries the number of query positions, the last ones of `keys`
 * @param pads pads on the left of each row that are hidden; none hides nothing
 * @returns `[1 or batch, 1, query, key]`
 */
export function attentionBias(queries: number, keys: number, pads: readonly number[] = []): tf.Tensor4D {
  const hidesPads = pads.some((pad) => pad > 0);
  const batch = hidesPads ? pads.length : 1;
  const bias = new Float32Array(batch * queries * keys);
  for (let row = 0; row < batch; row++) {
    const pad = hidesPads ? (pads[row] ?? 0) : 0;
    for (let query = 0; query < queries; query++) {
      const start = (row * queries + query) * keys;
      bias.fill(HIDDEN, start, start + pad);
      bias.fill(HIDDEN, start + keys - queries + query + 1, start + keys);
    }
  }
  return tf.tensor4d(bias, [batch, 1, queries, keys]);
}
