import { gaussian } from "../data/random";

/** `count` vectors of independent standard normal numbers. */
export function gaussianVectors(count: number, dModel: number, seed: number): Float64Array[] {
  const normal = gaussian(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: dModel }, normal));
}
