import fc from "fast-check";
import { expect, test } from "vitest";
import { sampler, type SamplingOptions } from "../../src/model/sampling.js";

const logits = fc
  .array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 30 })
  .map((values) => Float32Array.from(values));

/** Many draws of one distribution. */
function draws(values: Float32Array, options: Omit<SamplingOptions, "seed">, count = 40): number[] {
  const draw = sampler({ seed: 7, ...options }, 0);
  return Array.from({ length: count }, () => draw(values));
}

/** Tokens, likeliest first; of equals the lower one. */
function ranked(values: Float32Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
}

test("topK: only the k likeliest are ever drawn", () => {
  fc.assert(
    fc.property(logits, fc.integer({ min: 1, max: 40 }), (values, topK) => {
      const allowed = new Set(ranked(values).slice(0, topK));
      expect(draws(values, { topK, temperature: 5 }).every((token) => allowed.has(token))).toBe(true);
    }),
  );
});

test("topP: only the fewest likeliest that reach the probability are ever drawn", () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (values, topP) => {
      const top = Math.max(...values);
      const total = values.reduce((sum, x) => sum + Math.exp(x - top), 0);
      let reached = 0;
      const allowed = new Set<number>();
      for (const token of ranked(values)) {
        // A set that just reaches it to the last bit may take one more.
        if (reached >= topP + 1e-6) break;
        allowed.add(token);
        reached += Math.exp(values[token]! - top) / total;
      }
      expect(draws(values, { topP }).every((token) => allowed.has(token))).toBe(true);
    }),
  );
});

test("every token that may be drawn is drawn in the end", () => {
  const values = Float32Array.of(1, 1, 1, 1, -50);
  expect(new Set(draws(values, { topK: 4 }, 300))).toEqual(new Set([0, 1, 2, 3]));
  expect(new Set(draws(values, { topP: 0.7 }, 300))).toEqual(new Set([0, 1, 2]));
  expect(new Set(draws(values, {}, 300))).toEqual(new Set([0, 1, 2, 3]));
});

test("draws are as frequent as the softmax says, filters and temperature taken into account", () => {
  const values = Float32Array.of(0.3, -1, 2, 1.2, 0, -3);
  const [temperature, topK, count] = [0.8, 4, 20_000];
  const weights = Array.from(values, (x, token) =>
    ranked(values).slice(0, topK).includes(token) ? Math.exp(x / temperature) : 0,
  );
  const total = weights.reduce((sum, x) => sum + x, 0);
  const counts = new Array<number>(values.length).fill(0);
  for (const token of draws(values, { temperature, topK }, count)) counts[token]! += 1;
  counts.forEach((seen, token) => {
    const p = weights[token]! / total;
    expect(Math.abs(seen - count * p)).toBeLessThanOrEqual(4 * Math.sqrt(count * p * (1 - p)));
  });
});

test("sequences of one seed draw apart from each other", () => {
  const values = new Float32Array(1000);
  const first = [0, 1, 2, 3].map((sequence) => sampler({ seed: 1 }, sequence)(values));
  expect(new Set(first).size).toBe(4);
});
