import { gaussian } from "../data/random";

/** A copy of `items` in an order drawn from `random`, a source of numbers in [0, 1) (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

/** `count` vectors of independent standard normal numbers. */
export function gaussianVectors(count: number, dModel: number, seed: number): Float64Array[] {
  const normal = gaussian(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: dModel }, normal));
}
