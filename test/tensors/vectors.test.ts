import { describe, expect, it } from "vitest";
import { mulberry32 } from "../../src/base/random.js";
import { median, pearson, spearman } from "../../src/tensors/vectors.js";

describe("correlations", () => {
  it("Pearson and Spearman know a line and a monotone curve", () => {
    const x = Array.from({ length: 50 }, (_, i) => i);
    expect(
      pearson(
        x,
        x.map((v) => 3 - 2 * v),
      ),
    ).toBeCloseTo(-1, 12);
    expect(
      spearman(
        x,
        x.map((v) => v ** 3),
      ),
    ).toBeCloseTo(1, 12);
    const random = mulberry32(1);
    expect(
      Math.abs(
        pearson(
          x,
          x.map(() => random()),
        ),
      ),
    ).toBeLessThan(0.4);
  });
});

it("the median is the middle one, or halfway between the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median(Float64Array.of(4, 1, -3, 2))).toBe(1.5);
  expect(median([])).toBeNaN();
});
