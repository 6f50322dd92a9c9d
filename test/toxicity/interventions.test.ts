import { describe, expect, it } from "vitest";
import { randomDirections, scaleForPerplexity } from "../../src/toxicity/interventions.js";
import { dot, norm } from "../../src/tensors/vectors.js";

describe("scaleForPerplexity", () => {
  const laws: Record<string, (scale: number) => number> = {
    "grows with the square": (scale) => 20 * Math.exp(0.003 * scale ** 2),
    "first falls, then grows": (scale) => 20 * Math.exp(-0.01 * scale + 0.004 * scale ** 2),
    "grows linearly": (scale) => 20 * (1 + 0.02 * scale),
    "stays flat, then shoots up": (scale) => 20 * Math.exp(1e-6 * scale ** 6),
  };
  for (const [name, law] of Object.entries(laws)) {
    it(`meets the target when perplexity ${name}`, async () => {
      for (const start of [0.01, 1, 50]) {
        const found = await scaleForPerplexity((scale) => Promise.resolve(law(scale)), {
          base: 20,
          target: 21.6,
          start,
        });
        expect(Math.abs(found.perplexity / 21.6 - 1)).toBeLessThanOrEqual(1e-3);
        expect(found.perplexity).toBe(law(found.scale));
        expect(found.evaluations).toBeLessThan(20);
      }
    });
  }

  it("refuses a target that is not above the base", async () => {
    await expect(scaleForPerplexity(() => Promise.resolve(1), { base: 20, target: 19 })).rejects.toThrow(
      "target perplexity: got 19, expected one above",
    );
  });

  it("says so when no scale reaches the target", async () => {
    await expect(
      scaleForPerplexity(() => Promise.resolve(20), { base: 20, target: 21, maxEvaluations: 10 }),
    ).rejects.toThrow(/10 evaluations/);
  });
});

describe("randomDirections", () => {
  it("gives unit vectors, the same for the same seed, in different directions", () => {
    const directions = randomDirections(4, 64, 9);
    for (const direction of directions) expect(norm(direction)).toBeCloseTo(1, 12);
    expect(randomDirections(4, 64, 9)).toEqual(directions);
    const [first, second] = directions as [Float64Array, Float64Array];
    expect(Math.abs(dot(first, second))).toBeLessThan(0.5);
  });
});
