import { describe, expect, it } from "vitest";
import { bootstrapMean } from "../../src/metrics/bootstrap.js";
import { tokenF1 } from "../../src/metrics/f1.js";

describe("tokenF1", () => {
  it("is the harmonic mean of multiset precision and recall", () => {
    // shared: 1 once (gold has it once), 2 twice: 3 of 4 predicted, 3 of 5 gold
    expect(tokenF1([1, 1, 2, 2], [1, 2, 2, 3, 4])).toBeCloseTo((2 * 0.75 * 0.6) / 1.35, 12);
  });

  it("is 1 for the same tokens in any order and 0 without overlap", () => {
    expect(tokenF1([3, 1, 2], [1, 2, 3])).toBe(1);
    expect(tokenF1([1], [2])).toBe(0);
    expect(tokenF1([], [2])).toBe(0);
  });
});

describe("bootstrapMean", () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));

  it("covers the mean with an interval near mean ± 1.96 standard errors", () => {
    const { mean, low, high, examples } = bootstrapMean(values, { resamples: 4000 });
    const standardError = Math.sqrt((0.25 * 0.75) / 400);
    expect(mean).toBe(0.25);
    expect(examples).toBe(400);
    expect(low).toBeCloseTo(0.25 - 1.96 * standardError, 2);
    expect(high).toBeCloseTo(0.25 + 1.96 * standardError, 2);
  });

  it("repeats itself for the same seed and not for another", () => {
    const first = bootstrapMean(values, { seed: 1 });
    expect(bootstrapMean(values, { seed: 1 })).toEqual(first);
    expect(
      bootstrapMean(
        values.map((v, i) => v + i * 1e-3),
        { seed: 2 },
      ).low,
    ).not.toBe(first.low);
  });

  it("has nothing to say about no values", () => {
    expect(() => bootstrapMean([])).toThrow("got no values");
  });
});
