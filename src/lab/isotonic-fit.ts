import type { IsotonicCurve } from "../scorers/isotonic.js";

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
