import { UserError } from "@alignscope/base/errors";
import type { GPT2Config } from "./config.js";

/**
 * How sequences of unequal length share a batch; both pad on the left with the end-of-text token.
 *
 * - `masked`: pads are hidden from attention, and positions count from the first real token.
 * - `as-published`: no mask, positions count from the left edge, so that a short prompt is prefixed by end-of-text tokens
 *   (what the official evaluation does, docs/recipes.md#generation).
 */
export type Padding = "masked" | "as-published";

/** A rectangular batch. All arrays are `[batch, position]`, row by row. */
export interface Batch {
  ids: Int32Array;
  positions: Int32Array;
  /** Positions on the left of each row that attention does not see: its pads, where they are masked. */
  pads: number[];
  /**
   * 1 at each position that attention does not see, wherever it is, `[batch, position]`; then `pads` are 0. Attention is a
   * composition of plain operations for it, as Hugging Face's GPT-2 applies an attention mask: `hidingMask`.
   */
  hidden?: Uint8Array;
  batch: number;
  length: number;
}

/** Lays sequences out as one batch; unequal lengths need a padding. */
export function layOut(
  sequences: readonly (readonly number[])[],
  config: GPT2Config,
  padding?: Padding,
): Batch {
  const { length, lengths } = checkSequences(sequences, config);
  if (!padding && lengths.some((own) => own !== length)) {
    throw new UserError(
      `sequences of ${Math.min(...lengths)} to ${length} tokens in one batch: say padding "masked" or "as-published"`,
    );
  }
  const batch = sequences.length;
  const ids = new Int32Array(batch * length).fill(config.eosTokenId);
  const positions = new Int32Array(batch * length);
  sequences.forEach((sequence, row) => {
    const pad = length - sequence.length;
    ids.set(sequence, row * length + pad);
    for (let i = 0; i < length; i++) {
      positions[row * length + i] = padding === "as-published" ? i : Math.max(0, i - pad);
    }
  });
  const pads = lengths.map((own) => (padding === "as-published" ? 0 : length - own));
  return { ids, positions, pads, batch, length };
}

/** Lays out what follows positions that a cache holds: as many sequences as it has rows, of equal length. */
export function layOutAfter(
  sequences: readonly (readonly number[])[],
  config: GPT2Config,
  past: { length: number; pads: readonly number[] },
): Batch {
  const { length, lengths } = checkSequences(sequences, config);
  const batch = sequences.length;
  if (batch !== past.pads.length) {
    throw new UserError(`${batch} sequences after a cache of ${past.pads.length} rows: expected one per row`);
  }
  if (lengths.some((own) => own !== length)) {
    throw new UserError(
      `sequences of ${Math.min(...lengths)} to ${length} tokens after a cache: expected equal lengths`,
    );
  }
  const positions = past.pads.flatMap((pad) =>
    Array.from({ length }, (_, i) => Math.max(0, past.length + i - pad)),
  );
  return {
    ids: Int32Array.from(sequences.flat()),
    positions: Int32Array.from(positions),
    pads: [...past.pads],
    batch,
    length,
  };
}

function checkSequences(
  sequences: readonly (readonly number[])[],
  config: GPT2Config,
): { length: number; lengths: number[] } {
  if (sequences.length === 0) throw new UserError("empty batch: expected at least one sequence of tokens");
  const lengths = sequences.map((sequence) => sequence.length);
  const length = lengths.reduce((longest, own) => Math.max(longest, own), 0);
  const empty = lengths.indexOf(0);
  if (empty >= 0) throw new UserError(`sequence ${empty} is empty: a prompt needs at least one token`);
  if (length > config.nPositions) {
    throw new UserError(
      `sequence ${lengths.indexOf(length)} has ${length} tokens, the model's context holds ${config.nPositions}: shorten it`,
    );
  }
  sequences.forEach((sequence, row) => {
    sequence.forEach((id, i) => {
      if (!Number.isInteger(id) || id < 0 || id >= config.vocabSize) {
        throw new UserError(
          `sequence ${row}: token id ${id} at position ${i}, expected 0 to ${config.vocabSize - 1}`,
        );
      }
    });
  });
  return { length, lengths };
}

/**
 * Indices of texts, those of like length beside each other, so that batches of them hold few pads.
 *
 * @param lengths of the texts, in tokens
 */
export function byLength(lengths: readonly number[], first: "shortest" | "longest" = "shortest"): number[] {
  const sign = first === "shortest" ? 1 : -1;
  return lengths.map((_, i) => i).sort((i, j) => sign * (lengths[i]! - lengths[j]!) || i - j);
}
