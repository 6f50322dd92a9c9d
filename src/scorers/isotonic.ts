import { UserError } from "@alignscope/base/errors";
import type { Reading } from "./attributes.js";
import type { AttributeScorer } from "./scorer.js";

/** A curve that never falls: straight between knots, level before the first and behind the last. */
export interface IsotonicCurve {
  /** Scores of the knots, each above the one before. */
  readonly scores: readonly number[];
  /** What the knots stand for, none below the one before. */
  readonly targets: readonly number[];
}

/** From one scorer's scores to Perspective's of 2020, and how it was fitted. */
export interface Calibration extends IsotonicCurve {
  readonly scorer: string;
  /** Of the scorer whose scores were fitted: another model or version needs another curve. */
  readonly identity: string;
  /** What Perspective's attributes were read as: a curve to TOXICITY is none to the maximum. */
  readonly reading: Reading;
}

/** Scores in a row, with the mean of their targets. */
interface Block {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly sum: number;
}

const meanOf = ({ sum, count }: Block): number => sum / count;

const joined = (a: Block, b: Block): Block => ({
  from: a.from,
  to: b.to,
  count: a.count + b.count,
  sum: a.sum + b.sum,
});

/**
 * Isotonic regression: of all functions of the score that never fall, the one with the least squared distance to the
 * targets, found by pooling adjacent violators. Equal scores share a value. Between two scores that were fitted it is
 * interpolated.
 *
 * @param scores one per text, of the scorer that is to be calibrated
 * @param targets as many, of the scorer whose scale is wanted
 * @throws RangeError for lists of different lengths, without numbers, or with something else in them
 * @example applyCurve(fitIsotonic([0.1, 0.4, 0.3], [0, 1, 0.2]), 0.35) // 0.6: halfway between 0.2 and 1
 */
export function fitIsotonic(scores: ArrayLike<number>, targets: ArrayLike<number>): IsotonicCurve {
  if (scores.length !== targets.length || scores.length === 0) {
    throw new RangeError(
      `fitIsotonic: got ${scores.length} scores and ${targets.length} targets, expected as many of each, and at least one`,
    );
  }
  const order = Array.from(scores, (_, i) => i).sort((i, j) => (scores[i] as number) - (scores[j] as number));
  // Equal scores first: they are one point, whatever their targets.
  const points: Block[] = [];
  for (const i of order) {
    const [score, target] = [scores[i] as number, targets[i] as number];
    if (!Number.isFinite(score) || !Number.isFinite(target)) {
      throw new RangeError(`fitIsotonic: got score ${score} and target ${target} at ${i}, expected numbers`);
    }
    const point: Block = { from: score, to: score, count: 1, sum: target };
    const last = points.at(-1);
    if (last?.to === score) points[points.length - 1] = joined(last, point);
    else points.push(point);
  }
  const blocks: Block[] = [];
  for (const point of points) {
    let next = point;
    for (let last = blocks.at(-1); last && meanOf(last) >= meanOf(next); last = blocks.at(-1)) {
      blocks.pop();
      next = joined(last, next);
    }
    blocks.push(next);
  }
  const ends = blocks.flatMap((block) => (block.from === block.to ? [block.from] : [block.from, block.to]));
  const values = blocks.flatMap((block) =>
    block.from === block.to ? [meanOf(block)] : [meanOf(block), meanOf(block)],
  );
  return { scores: ends, targets: values };
}

/** What the curve makes of a score. */
export function applyCurve({ scores, targets }: IsotonicCurve, score: number): number {
  let low = 0;
  let high = scores.length - 1;
  if (!(score > (scores[low] as number))) return targets[low] as number;
  if (score >= (scores[high] as number)) return targets[high] as number;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((scores[middle] as number) <= score) low = middle;
    else high = middle;
  }
  const [from, to] = [scores[low] as number, scores[high] as number];
  const share = (score - from) / (to - from);
  return (1 - share) * (targets[low] as number) + share * (targets[high] as number);
}

/**
 * `scorer` on Perspective's scale of 2020: its scores put through the curve. Its attributes stay as they are; a blank text
 * scores 0 as before.
 *
 * @throws UserError when the calibration is another scorer's, of another version of it, or for another reading
 */
export function calibrated(scorer: AttributeScorer, calibration: Calibration): AttributeScorer {
  const { name, identity, reading } = scorer;
  for (const [what, is, expected] of [
    ["the scorer", calibration.scorer, name],
    ["the version", calibration.identity, identity],
    ["the reading", calibration.reading, reading],
  ] as const) {
    if (is === expected) continue;
    throw new UserError(
      `the calibration is for ${what} ${is}, expected ${expected}: make one with \`npx alignscope scorers calibrate ${name}\``,
    );
  }
  return {
    ...scorer,
    score: async (texts, options) => {
      const scores = await scorer.score(texts, options);
      return scores.map((score, i) =>
        (texts[i] as string).trim() === "" ? 0 : applyCurve(calibration, score),
      );
    },
  };
}
