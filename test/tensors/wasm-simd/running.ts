import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { gaussian } from "../../../src/model/index.js";
import { runKernel, type FusedName } from "../../../src/tensors/ops/fused.js";

/* Running a kernel on given values, and holding what it returns against float64. */

/** Values that kernels stumble over: zeros, denormals, what e^x makes 0 or infinite, what a square makes infinite. */
export const SPECIAL = [
  0, -0, 1e-45, -1e-40, 1e-38, 1e-30, -1e-8, 9e-4, -1e-3, 0.5, -0.7, 3.5, 4.7, -5.2, 5.5, 10, -20,
];
export const EXTREME = [80, -80, 86.9, -87.1, 1e4, -1e4, 1e20, -1e20];

/** Normal values, some of them special. */
export function values(
  count: number,
  start: number,
  specials: number[] = SPECIAL,
  scale = 1,
  shift = 0,
): Float32Array {
  const normal = gaussian(start);
  return Float32Array.from({ length: count }, (_, i) => {
    const value = normal();
    if (specials.length > 0 && (i * 7 + start) % 5 === 0) return specials[(i + start) % specials.length]!;
    return value * scale + shift;
  });
}

export type Input = [values: Float32Array | Int32Array, shape: number[]];

/** Like tf.tidy, which would look for tensors at every index of an array of numbers that it returns. */
export function tidied<T>(body: () => T): T {
  tf.engine().startScope();
  try {
    return body();
  } finally {
    tf.engine().endScope();
  }
}

/** Runs a kernel and reads all that it returns. */
export function run(name: FusedName, inputs: Record<string, Input>, attributes: object = {}): Float32Array[] {
  return tidied(() => {
    const tensors = Object.fromEntries(
      Object.entries(inputs).map(([key, [data, shape]]) => [
        key,
        tf.tensor(data, shape, data instanceof Int32Array ? "int32" : "float32"),
      ]),
    );
    const outputs = runKernel<tf.Tensor | tf.Tensor[]>(name, tensors, attributes);
    return [outputs].flat().map((tensor) => tensor.dataSync<"float32">().slice());
  });
}

/** Every measured value is within its own tolerance of the expected one. */
export function expectWithin(
  measured: ArrayLike<number>,
  expected: (i: number) => { value: number; tolerance: number },
): void {
  for (let i = 0; i < measured.length; i++) {
    const { value, tolerance } = expected(i);
    const error = Math.abs(measured[i]! - value);
    if (!(error <= tolerance)) {
      expect.fail(`at ${i}: ${measured[i]}, expected ${value} ± ${tolerance}`);
    }
  }
}

export const sum = (length: number, term: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < length; i++) total += term(i);
  return total;
};

export type Inputs = Record<string, Input>;

export function normalise(
  x: Float32Array,
  at: number,
  size: number,
): { normalised: number; inverse: number } {
  const first = at - (at % size);
  const mean = sum(size, (i) => x[first + i]!) / size;
  const variance = sum(size, (i) => (x[first + i]! - mean) ** 2) / size;
  const inverse = 1 / Math.sqrt(variance + 1e-5);
  return { normalised: (x[at]! - mean) * inverse, inverse };
}

export function normaliser(logits: Float32Array, row: number, size: number): number {
  const own = logits.subarray(row * size, (row + 1) * size);
  const top = own.reduce((a, b) => Math.max(a, b));
  return top + Math.log(sum(size, (i) => Math.exp(own[i]! - top)));
}

/** A target per row that is possible at all; a row where nothing is gets a possible class. */
export function targetsIn(logits: Float32Array, n: number, size: number, start: number): Int32Array {
  return Int32Array.from({ length: n }, (_, row) => {
    const target = (start + row * 13) % size;
    if (logits[row * size + target]! < -1e6) logits[row * size + target] = -61;
    return target;
  });
}
