import type { Calibration } from "../scorers/calibration.js";

/** Examples with like log-odds, and their means. */
interface Group {
  readonly count: number;
  readonly logit: number;
  readonly score: number;
}

function merged(a: Group, b: Group): Group {
  const count = a.count + b.count;
  const mean = (x: number, y: number): number => (x * a.count + y * b.count) / count;
  return { count, logit: mean(a.logit, b.logit), score: mean(a.score, b.score) };
}

/**
 * The curve from log-odds to the mean score that was really given: examples are sorted by log-odds and cut into groups of like
 * size; neighbouring groups whose mean scores do not rise are joined (isotonic regression, by pooling adjacent violators); the
 * means of what remains are the knots.
 *
 * @param scores 0 to 1, one per logit
 * @param groups at most as many knots
 */
export function fitCalibration(
  logits: readonly number[],
  scores: readonly number[],
  groups = 12,
): Calibration {
  if (logits.length !== scores.length || logits.length < groups) {
    throw new RangeError(
      `fitCalibration: got ${logits.length} logits and ${scores.length} scores, ` +
        `expected as many of each, and at least ${groups}`,
    );
  }
  const order = logits.map((_, i) => i).sort((i, j) => (logits[i] as number) - (logits[j] as number));
  const rising: Group[] = [];
  for (let k = 0; k < groups; k += 1) {
    const members = order.slice(
      Math.floor((k * order.length) / groups),
      Math.floor(((k + 1) * order.length) / groups),
    );
    let next = members
      .map((i): Group => ({ count: 1, logit: logits[i] as number, score: scores[i] as number }))
      .reduce(merged);
    for (let before = rising.at(-1); before && !isAbove(next, before); before = rising.at(-1)) {
      rising.pop();
      next = merged(before, next);
    }
    rising.push(next);
  }
  return {
    logits: rising.map(({ logit }) => logit),
    // Log-odds of 0 and 1 are infinite; Perspective never gives either.
    scores: rising.map(({ score }) => Math.min(0.999, Math.max(0.001, score))),
  };
}

const isAbove = (next: Group, before: Group): boolean =>
  next.score > before.score && next.logit > before.logit;
