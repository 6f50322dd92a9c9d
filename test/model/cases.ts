import type * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { gaussian, GPT2, type GPT2Config } from "../../src/model/index.js";
import { randomWeights, type Weights } from "../referee/index.js";

/** A model of an odd shape, and token sequences for it. */
export interface Case {
  name: string;
  config: GPT2Config;
  /** Numbers that a float32 holds exactly, so that both models have the same. */
  weights: Weights;
  /** Of unequal length. */
  sequences: number[][];
  /** Of one length. */
  even: number[][];
}

type Shape = Pick<GPT2Config, "nLayer" | "nHead" | "dHead" | "dMlp" | "vocabSize">;

/** The deviation of a random weight, so that what it makes of width 10 is as large as of any other. */
const deviation = ({ nHead, dHead }: Shape): number => Math.min(0.4, 1.3 / Math.sqrt(nHead * dHead));

function caseOf(name: string, shape: Shape, { tied, seed }: { tied: boolean; seed: number }): Case {
  const last = shape.vocabSize - 1;
  const config: GPT2Config = {
    ...shape,
    dModel: shape.nHead * shape.dHead,
    nPositions: 10,
    layerNormEpsilon: 1e-5,
    bosTokenId: last,
    eosTokenId: last,
  };
  const normal = gaussian(seed);
  const next = (): number => Math.fround(deviation(shape) * normal());
  const weights = randomWeights(config, next);
  for (const values of weights.values()) values.forEach((value, i) => (values[i] = Math.fround(value)));
  if (!tied) {
    weights.set("lm_head.weight", Float64Array.from({ length: config.vocabSize * config.dModel }, next));
  }
  const even = [
    [1, 4, 4, 0],
    [5, 2, last, 3],
  ];
  return {
    name,
    config,
    weights,
    sequences: [
      [1, 4, 4, 0, 3],
      [5, 2],
      [last, 3, 1],
    ],
    even,
  };
}

export const CASES: Case[] = [
  caseOf(
    "one block, three heads of 5, tied",
    { nLayer: 1, nHead: 3, dHead: 5, dMlp: 7, vocabSize: 11 },
    { tied: true, seed: 3 },
  ),
  caseOf(
    "two blocks, two heads of 4, an unembedding of its own",
    { nLayer: 2, nHead: 2, dHead: 4, dMlp: 12, vocabSize: 23 },
    { tied: false, seed: 4 },
  ),
  caseOf(
    "three blocks, one head of 6, tied",
    { nLayer: 3, nHead: 1, dHead: 6, dMlp: 24, vocabSize: 17 },
    { tied: true, seed: 5 },
  ),
];

/** Sizes that are no multiples of anything a kernel works in, and more than one of them. */
export const WIDE = caseOf(
  "two blocks, three heads of 19",
  { nLayer: 2, nHead: 3, dHead: 19, dMlp: 131, vocabSize: 257 },
  { tied: false, seed: 6 },
);

/** The case with two blocks: the smallest of which layers can be told apart. */
export const TWO_BLOCKS = CASES[1] as Case;

export function modelOf({ config, weights }: Pick<Case, "config" | "weights">): GPT2 {
  return GPT2.fromValues(
    config,
    new Map([...weights].map(([name, values]) => [name, Float32Array.from(values)])),
  );
}

/** Largest difference, relative to the largest expected value. */
export function relativeError(measured: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(measured.length).toBe(expected.length);
  let [worst, size] = [0, 1e-6];
  for (let i = 0; i < expected.length; i += 1) {
    const difference = Math.abs(measured[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return worst / size;
}

/** Holds a tensor against expected values, row by row, and disposes of it. */
export async function expectValues(
  tensor: tf.Tensor,
  expected: ArrayLike<number>,
  tolerance: number,
  what?: string,
): Promise<void> {
  const measured = await tensor.data();
  tensor.dispose();
  expect(relativeError(measured, expected), what).toBeLessThan(tolerance);
}

/** A tensor's values in float64; the tensor is disposed of. */
export async function valuesOf(tensor: tf.Tensor): Promise<Float64Array> {
  const values = Float64Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

/** Log-probabilities of rows of logits, in float64. */
export function logSoftmaxOf(logits: ArrayLike<number>, width: number): Float64Array {
  const result = Float64Array.from(logits);
  for (let start = 0; start < result.length; start += width) {
    const row = result.subarray(start, start + width);
    const top = Math.max(...row);
    const total = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    row.forEach((x, i) => (row[i] = x - total));
  }
  return result;
}

/** The part of `[a, b, …]` values, shaped `shape`, from index `from` on along `axis`. */
export function tail(
  values: Float64Array,
  shape: readonly number[],
  axis: number,
  from: number,
  to = shape[axis] as number,
): Float64Array {
  const inner = shape.slice(axis + 1).reduce((product, length) => product * length, 1);
  const length = shape[axis] as number;
  return values.filter((_, i) => {
    const at = Math.floor(i / inner) % length;
    return at >= from && at < to;
  });
}
