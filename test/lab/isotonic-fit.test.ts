import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitIsotonic } from "../../src/lab/isotonic-fit.js";
import { applyCurve } from "../../src/scorers/isotonic.js";

/** The value of the isotonic regression at each score, from its definition: the max-min formula over all intervals. */
function bruteForce(scores: readonly number[], targets: readonly number[]): number[] {
  const levels = [...new Set(scores)].sort((a, b) => a - b);
  const groups = levels.map((level) => targets.filter((_, i) => scores[i] === level));
  const meanOf = (from: number, to: number): number => {
    const all = groups.slice(from, to + 1).flat();
    return all.reduce((sum, x) => sum + x, 0) / all.length;
  };
  return scores.map((score) => {
    const at = levels.indexOf(score);
    let best = -Infinity;
    for (let from = 0; from <= at; from += 1) {
      let least = Infinity;
      for (let to = at; to < levels.length; to += 1) least = Math.min(least, meanOf(from, to));
      best = Math.max(best, least);
    }
    return best;
  });
}

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 20 })), {
  minLength: 1,
  maxLength: 16,
});

describe("isotonic regression", () => {
  it("is the least-squares function that never falls, by brute force", () => {
    fc.assert(
      fc.property(pairs, (points) => {
        const [scores, targets] = [points.map(([x]) => x / 12), points.map(([, y]) => y / 20)];
        const curve = fitIsotonic(scores, targets);
        const expected = bruteForce(scores, targets);
        scores.forEach((score, i) => expect(applyCurve(curve, score)).toBeCloseTo(expected[i] as number, 12));
      }),
      { numRuns: 400 },
    );
  });

  it("never falls, between knots and beyond them, and stays among the targets", () => {
    fc.assert(
      fc.property(pairs, fc.array(fc.double({ min: -1, max: 2, noNaN: true })), (points, asked) => {
        const [scores, targets] = [points.map(([x]) => x / 12), points.map(([, y]) => y / 20)];
        const curve = fitIsotonic(scores, targets);
        curve.scores.forEach((x, i) => i > 0 && expect(x).toBeGreaterThan(curve.scores[i - 1] as number));
        const values = [...asked].sort((a, b) => a - b).map((x) => applyCurve(curve, x));
        values.forEach((y, i) => {
          if (i > 0) expect(y).toBeGreaterThanOrEqual((values[i - 1] as number) - 1e-12);
          expect(y).toBeGreaterThanOrEqual(Math.min(...targets) - 1e-12);
          expect(y).toBeLessThanOrEqual(Math.max(...targets) + 1e-12);
        });
      }),
    );
  });

  it("treats equal scores as one point, in whatever order their targets come", () => {
    const curve = fitIsotonic([1, 2, 2], [0.5, 0.4, 1]);
    expect(curve).toEqual({ scores: [1, 2], targets: [0.5, 0.7] });
    expect(fitIsotonic([2, 1, 2], [1, 0.5, 0.4])).toEqual(curve);
  });

  it("changes nothing when fitted again on what it gave", () => {
    const scores = [0.1, 0.4, 0.3, 0.8];
    const curve = fitIsotonic(scores, [0, 0.2, 0.5, 0.9]);
    const values = scores.map((x) => applyCurve(curve, x));
    const again = fitIsotonic(scores, values);
    expect(scores.map((x) => applyCurve(again, x))).toEqual(values);
  });

  it("refuses nothing, different lengths and what is no number", () => {
    expect(() => fitIsotonic([], [])).toThrow(RangeError);
    expect(() => fitIsotonic([1], [1, 2])).toThrow(/got 1 scores and 2 targets/);
    expect(() => fitIsotonic([1, NaN], [1, 2])).toThrow(/at 1, expected numbers/);
  });
});
