import type { Matrix } from "../../src/tensors/logistic.js";
import { gaussianVectors } from "../../src/toxicity/random.js";

/** Rows around ± `apart` times `direction`, noise elsewhere, far from the origin in one coordinate. */
export function twoClouds(
  rows: number,
  columns: number,
  direction: Float64Array,
  apart = 1.5,
): { features: Matrix; labels: number[] } {
  const noise = gaussianVectors(rows, columns, 7);
  const labels = noise.map((_, row) => row % 2);
  const values = new Float64Array(rows * columns);
  noise.forEach((vector, row) =>
    vector.forEach((x, j) => {
      const pull = (labels[row] === 1 ? 1 : -1) * (direction[j] as number);
      values[row * columns + j] = x + apart * pull + (j === 0 ? 100 : 0);
    }),
  );
  return { features: { rows, columns, values }, labels };
}
