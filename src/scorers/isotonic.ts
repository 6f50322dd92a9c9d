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
