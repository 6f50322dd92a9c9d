import type { GPT2Config } from "../../src/model/index.js";

/** Sequences on one rectangle, padded on the left with the end-of-text token; rows are `[batch, position]`. */
export interface Batch {
  batch: number;
  positions: number;
  ids: number[];
  /** The row of wpe of each token; none for a pad that is masked, whose positional embedding is zero. */
  places: (number | null)[];
  /** Pads on the left of each sequence. */
  pads: number[];
  /** Whether a query of a sequence may look at a key. */
  sees: (sequence: number, query: number, key: number) => boolean;
  /** What a mask adds to a score of those that it may look at; nothing unless given. */
  added?: (sequence: number, query: number, key: number) => number;
}

/**
 * Lays out sequences as TransformerLens 1.12 does.
 *
 * `masked`: no query sees a pad, so a pad's own query sees nothing; positions count from the first real token and a
 * pad's positional embedding is zero. `as-published`: a pad is a token like any other, positions count from the left.
 */
export function layOut(
  sequences: readonly (readonly number[])[],
  config: Pick<GPT2Config, "eosTokenId">,
  padding: "masked" | "as-published" = "masked",
): Batch {
  const positions = Math.max(...sequences.map((sequence) => sequence.length));
  const pads = sequences.map((sequence) => positions - sequence.length);
  const masked = padding === "masked";
  return {
    batch: sequences.length,
    positions,
    pads,
    ids: sequences.flatMap((own, i) => [...Array<number>(pads[i]!).fill(config.eosTokenId), ...own]),
    places: pads.flatMap((pad) =>
      Array.from({ length: positions }, (_, at) => (!masked ? at : at < pad ? null : at - pad)),
    ),
    sees: (sequence, query, key) => key <= query && (!masked || key >= pads[sequence]!),
  };
}
