import type { GPT2Config } from "../../model/index.js";
import { byLength, type Batch } from "../../model/padding.js";
import type { TokenPair } from "../preference-pair.js";
import type { DpoSettings } from "./settings.js";

/** Both sides of some pairs, laid out for one pass, and which tokens' log-probabilities count. */
export interface PairBatch {
  /** Rows: the chosen sides in the order of the pairs, then the rejected ones. */
  batch: Batch;
  pairs: number;
  /** For each token that counts, the place (row · length + position) of the one before it, which predicts it. */
  at: Int32Array;
  /** The tokens that count. */
  targets: Int32Array;
  /** The row that each of them belongs to. */
  rows: Int32Array;
  /** Real tokens of all rows, prompts included. */
  tokens: number;
}

/** Which choices decide where tokens stand and which count. */
export type LayoutSettings = Pick<
  DpoSettings,
  "countPrompt" | "countSidePadding" | "maskEos" | "positions"
> & {
  /** Whether every position is to be what the official code has there, pads included, since a KL is taken at all. */
  everyPosition?: boolean;
};

/** What of the settings decides a gradient. */
export type GradientSettings = Pick<DpoSettings, "beta" | "klGamma" | "microBatchSize" | "maxGradNorm"> &
  Omit<LayoutSettings, "everyPosition">;

/** The settings of a layout: with a KL in the loss or in a report, as published, every position has to be as it is there. */
export function layoutOf(
  settings: GradientSettings,
  withKl: boolean,
): GradientSettings & { everyPosition: boolean } {
  return { ...settings, everyPosition: withKl && settings.countPrompt };
}

/** Whether what a pair's sides amount to depends on the other pairs of its batch. */
export function dependsOnBatch({ countSidePadding, positions }: LayoutSettings): boolean {
  return countSidePadding || positions === "left edge";
}

/** One sequence of a rectangle. */
interface Row {
  /** Pads on the left. */
  left: number;
  prompt: readonly number[];
  continuation: readonly number[];
  /** End-of-text tokens, then tokens 0, that fill the row up. */
  right: number;
  filler: number;
}

/**
 * Lays out both sides of some pairs.
 *
 * As corrected each sequence is padded on the left as a whole, pads are hidden and positions count from its first token.
 * Where the layout matters to the numbers it is the official one (docs/recipes.md#batches-of-pairs): prompts padded on the
 * left to a common width, continuations padded on the right with end-of-text to a width per side, the narrower side filled
 * up with token 0; hidden from attention are both kinds of pads and, as there, every other end-of-text token.
 */
export function layOutPairs(
  pairs: readonly TokenPair[],
  settings: LayoutSettings,
  { eosTokenId }: Pick<GPT2Config, "eosTokenId">,
): PairBatch {
  const rows = dependsOnBatch(settings) ? officialRows(pairs, settings) : compactRows(pairs);
  const lengths = rows.map((row) => lengthOf(row));
  const length = Math.max(...lengths);
  const ids = new Int32Array(rows.length * length).fill(eosTokenId);
  const positions = new Int32Array(rows.length * length);
  const hidden = new Uint8Array(rows.length * length);
  const [at, targets, owners]: number[][] = [[], [], []];
  rows.forEach(({ left, prompt, continuation, filler }, row) => {
    const start = row * length;
    const end = left + prompt.length + continuation.length;
    ids.set(prompt, start + left);
    ids.set(continuation, start + left + prompt.length);
    ids.fill(0, start + length - filler, start + length);
    for (let i = 0; i < length; i++) {
      const text = i >= left && i < end;
      const id = ids[start + i]!;
      const eosWithin = settings.maskEos && text && id === eosTokenId;
      positions[start + i] = settings.positions === "left edge" ? i : Math.max(0, i - left);
      hidden[start + i] = Number(!text || eosWithin);
      const fills = i >= length - filler;
      const counts =
        (text && !eosWithin && (settings.countPrompt || i >= left + prompt.length)) ||
        (settings.countSidePadding && fills);
      // The first token of a prompt counts where a pad stands before it to predict it.
      if (counts && i > 0 && (i > left || settings.positions === "left edge")) {
        at!.push(start + i - 1);
        targets!.push(id);
        owners!.push(row);
      }
    }
  });
  const pads = rows.map(({ left }) => left);
  const places = Int32Array.from(at!);
  const hiding = settings.everyPosition ? hidden.includes(1) : needsMask(hidden, pads, length, places);
  return {
    batch: {
      ...{ ids, positions, batch: rows.length, length },
      ...(hiding ? { hidden, pads: pads.map(() => 0) } : { pads }),
    },
    pairs: pairs.length,
    at: places,
    targets: Int32Array.from(targets!),
    rows: Int32Array.from(owners!),
    tokens: rows.reduce((sum, { prompt, continuation }) => sum + prompt.length + continuation.length, 0),
  };
}

/** Some of a batch's pairs on the same rectangle. */
function somePairs(whole: PairBatch, first: number, last: number): PairBatch {
  const { batch, pairs } = whole;
  const { length } = batch;
  const count = last - first;
  const rowOf = (row: number): number => (row < count ? first + row : pairs + first + row - count);
  const taken = Array.from({ length: 2 * count }, (_, row) => rowOf(row));
  const pick = <T extends Int32Array | Uint8Array>(all: T): T => {
    const some = all.slice(0, taken.length * length) as T;
    taken.forEach((from, row) => some.set(all.subarray(from * length, (from + 1) * length), row * length));
    return some;
  };
  const [at, targets, rows]: number[][] = [[], [], []];
  taken.forEach((from, row) => {
    whole.rows.forEach((owner, i) => {
      if (owner !== from) return;
      at!.push(whole.at[i]! + (row - from) * length);
      targets!.push(whole.targets[i]!);
      rows!.push(row);
    });
  });
  return {
    batch: {
      ids: pick(batch.ids),
      positions: pick(batch.positions),
      pads: taken.map((from) => batch.pads[from]!),
      ...(batch.hidden ? { hidden: pick(batch.hidden) } : {}),
      batch: taken.length,
      length,
    },
    pairs: count,
    at: Int32Array.from(at!),
    targets: Int32Array.from(targets!),
    rows: Int32Array.from(rows!),
    tokens: Math.round((whole.tokens * count) / pairs),
  };
}

/**
 * A batch in parts of at most `size` pairs (0: in one), and which of its pairs each part holds. Where the layout changes
 * nothing, pairs of like length share a part, so that there is less to pad; where it does, the parts are cut out of the
 * whole batch's rectangle.
 */
export function inParts(
  pairs: readonly TokenPair[],
  size: number,
  settings: LayoutSettings,
  config: Pick<GPT2Config, "eosTokenId">,
): { part: PairBatch; members: number[] }[] {
  const step = size > 0 ? size : pairs.length;
  const members = pairs.map((_, i) => i);
  const starts = members.filter((i) => i % step === 0);
  if (dependsOnBatch(settings)) {
    const whole = layOutPairs(pairs, settings, config);
    if (starts.length === 1) return [{ part: whole, members }];
    return starts.map((first) => {
      const last = Math.min(first + step, pairs.length);
      return { part: somePairs(whole, first, last), members: members.slice(first, last) };
    });
  }
  const order = starts.length > 1 ? byLength(pairs.map(longestSide), "longest") : members;
  return starts.map((first) => {
    const own = order.slice(first, first + step);
    return {
      part: layOutPairs(
        own.map((i) => pairs[i]!),
        settings,
        config,
      ),
      members: own,
    };
  });
}

/** Tokens of a pair's longer side with its prompt. */
export function longestSide({ prompt, chosen, rejected }: TokenPair): number {
  return prompt.length + Math.max(chosen.length, rejected.length);
}

function lengthOf({ left, prompt, continuation, right }: Row): number {
  return left + prompt.length + continuation.length + right;
}

function compactRows(pairs: readonly TokenPair[]): Row[] {
  const sides = [
    ...pairs.map(({ prompt, chosen }) => ({ prompt, continuation: chosen })),
    ...pairs.map(({ prompt, rejected }) => ({ prompt, continuation: rejected })),
  ];
  const length = Math.max(...sides.map(({ prompt, continuation }) => prompt.length + continuation.length));
  return sides.map((side) => ({
    ...side,
    left: length - side.prompt.length - side.continuation.length,
    right: 0,
    filler: 0,
  }));
}

function officialRows(pairs: readonly TokenPair[], { countSidePadding }: LayoutSettings): Row[] {
  const longest = (part: "prompt" | "chosen" | "rejected"): number =>
    Math.max(...pairs.map((pair) => pair[part].length));
  const promptWidth = longest("prompt");
  const widest = Math.max(longest("chosen"), longest("rejected"));
  return (["chosen", "rejected"] as const).flatMap((side) => {
    const width = longest(side);
    return pairs.map((pair) => ({
      left: promptWidth - pair.prompt.length,
      prompt: pair.prompt,
      continuation: pair[side],
      right: widest - pair[side].length,
      filler: countSidePadding ? widest - width : 0,
    }));
  });
}

/**
 * Whether hiding the pads on the left, which is fast, is not enough: something else is hidden that tokens after it would
 * see, or a hidden position predicts a token that counts.
 */
function needsMask(hidden: Uint8Array, pads: readonly number[], length: number, at: Int32Array): boolean {
  if (at.some((place) => hidden[place] === 1)) return true;
  return pads.some((left, row) => {
    const own = hidden.subarray(row * length + left, (row + 1) * length);
    const first = own.indexOf(1);
    return first >= 0 && own.subarray(first).includes(0);
  });
}
