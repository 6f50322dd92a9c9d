import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { bootstrapMean } from "../../src/metrics/bootstrap.js";
import { tokenF1 } from "../../src/metrics/f1.js";
import { histogram } from "../../src/metrics/histogram.js";

const numbers = (least = 0) =>
  fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: least, maxLength: 40 });
const odd = fc.oneof(
  fc.double({ min: -1e300, max: 1e300 }),
  fc.constantFrom(Infinity, -Infinity, Number.NaN),
);
const anything = fc.array(odd, { maxLength: 40 });
const bars = fc.integer({ min: 1, max: 60 });

describe("a mean with its interval", () => {
  it("holds the mean of the resamples between the least and the greatest value", () => {
    fc.assert(
      fc.property(numbers(1), fc.integer(), (values, seed) => {
        const { mean, low, high, examples } = bootstrapMean(values, { seed, resamples: 50 });
        const room = 1e-9 * Math.max(1, ...values.map(Math.abs));
        expect(low).toBeLessThanOrEqual(high);
        for (const value of [mean, low, high]) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...values) - room);
          expect(value).toBeLessThanOrEqual(Math.max(...values) + room);
        }
        expect(examples).toBe(values.length);
      }),
    );
  });

  it("is the value itself for a single one", () => {
    expect(bootstrapMean([0.25])).toEqual({ mean: 0.25, low: 0.25, high: 0.25, examples: 1 });
  });

  it("of no values is refused in one line, and so are settings that give no interval", () => {
    expect(() => bootstrapMean([])).toThrow(UserError);
    expect(() => bootstrapMean([])).toThrow(/got no values: expected at least one; [^\n]+$/);
    expect(() => bootstrapMean([1], { resamples: 0 })).toThrow(/got 0 resamples/);
    expect(() => bootstrapMean([1], { level: 95 })).toThrow(/level of 95/);
  });
});

describe("a histogram", () => {
  it("counts every value once, in bars that lie side by side and have a width", () => {
    fc.assert(
      fc.property(numbers(1), bars, (values, count) => {
        const bins = histogram(values, count);
        expect(bins).toHaveLength(count);
        expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(values.length);
        expect(bins.reduce((sum, bin) => sum + bin.share, 0)).toBeCloseTo(1, 9);
        const width = bins[0]!.to - bins[0]!.from;
        for (const [i, { from, to }] of bins.entries()) {
          // Of values next to each other the bars are as narrow as floats allow.
          expect(to).toBeGreaterThanOrEqual(from);
          if (i > 0) expect(Math.abs(from - bins[i - 1]!.to)).toBeLessThanOrEqual(1e-6 * width + 1e-9);
        }
      }),
    );
  });

  it("puts each value into the bar that spans it", () => {
    expect(histogram([1, 1, 2, 4], 3).map(({ count }) => count)).toEqual([2, 1, 1]);
    expect(histogram([0, 0.5, 1], 2, { from: 0, to: 1 }).map(({ count }) => count)).toEqual([1, 2]);
  });

  it("gives a single value a bar that can be seen", () => {
    expect(histogram([3], 1)).toEqual([{ from: 2.5, to: 3.5, count: 1, share: 1 }]);
    const bins = histogram([3, 3, 3], 5);
    expect(bins.map(({ count }) => count)).toEqual([0, 0, 3, 0, 0]);
    expect(bins[2]!.to).toBeGreaterThan(bins[2]!.from);
  });

  it("never holds a number that cannot be drawn, whatever the values and the ends", () => {
    const end = fc.option(odd, { nil: undefined });
    fc.assert(
      fc.property(anything, bars, end, end, (values, count, from, to) => {
        const ends = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
        for (const bin of histogram(values, count, ends)) {
          for (const edge of [bin.from, bin.to]) expect(Number.isFinite(edge)).toBe(true);
          expect(bin.to).toBeGreaterThanOrEqual(bin.from);
          expect(bin.count).toBeLessThanOrEqual(values.length);
          expect(bin.share).toBeGreaterThanOrEqual(0);
          expect(bin.share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("of no values has no bars, or empty ones between given ends; certainties count in the share alone", () => {
    expect(histogram([], 4)).toEqual([]);
    expect(histogram([Number.NaN], 4)).toEqual([]);
    expect(histogram([], 2, { from: 0, to: 1 }).map(({ share }) => share)).toEqual([0, 0]);
    const certain = histogram([-1, 1, Infinity, Infinity], 2, { from: -1, to: Infinity });
    expect(certain.map(({ from, to, share }) => [from, to, share])).toEqual([
      [-1, 0, 0.25],
      [0, 1, 0.25],
    ]);
  });

  it("refuses a number of bars that is none", () => {
    for (const count of [0, -1, 1.5, -Infinity, Number.NaN])
      expect(() => histogram([1], count)).toThrow(/expected a whole number of at least 1/);
  });
});

describe("F1 of tokens", () => {
  it("lies between 0 and 1, is 1 for the same tokens in any order, and 0 beside nothing", () => {
    const ids = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 });
    fc.assert(
      fc.property(ids, ids, (predicted, gold) => {
        const f1 = tokenF1(predicted, gold);
        expect(f1).toBeGreaterThanOrEqual(0);
        expect(f1).toBeLessThanOrEqual(1);
        expect(tokenF1(gold, predicted)).toBeCloseTo(f1, 12);
        if (gold.length > 0) expect(tokenF1([...gold].reverse(), gold)).toBe(1);
        expect(tokenF1([], gold)).toBe(0);
      }),
    );
  });
});
