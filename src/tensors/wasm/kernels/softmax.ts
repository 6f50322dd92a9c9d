import { expOfNegative } from "../exponential.js";
import type { Simd } from "../simd/module.js";

/**
 * Scores become weights, row by row: those of hidden keys 0, and all of them where a query sees nothing. Hidden scores are
 * not read.
 */
export type Softmax = (
  scores: Float32Array,
  pad: number,
  queries: number,
  keys: number,
  scale: number,
) => void;

export function simdSoftmax(simd: Simd): Softmax {
  return (scores, ...rest) => simd.softmax(scores.byteOffset, ...rest);
}

export function loopSoftmax(
  scores: Float32Array,
  pad: number,
  queries: number,
  keys: number,
  scale: number,
): void {
  for (let query = 0; query < queries; query++) {
    const row = query * keys;
    const end = row + keys - queries + query + 1;
    const start = Math.min(row + pad, end);
    let top = -Infinity;
    for (let i = start; i < end; i++) if (scores[i]! > top) top = scores[i]!;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const weight = expOfNegative((scores[i]! - top) * scale);
      scores[i] = weight;
      sum += weight;
    }
    const inverse = 1 / sum;
    for (let i = start; i < end; i++) scores[i] = scores[i]! * inverse;
    scores.fill(0, row, start);
    scores.fill(0, end, row + keys);
  }
}

/** From the gradient of the weights to that of the scores, in place. That of hidden weights is not read. */
export type SoftmaxGradient = (
  pattern: Float32Array,
  slope: Float32Array,
  queries: number,
  keys: number,
  scale: number,
) => void;

export function simdSoftmaxGradient(simd: Simd): SoftmaxGradient {
  return (pattern, slope, ...rest) => simd.softmaxGrad(pattern.byteOffset, slope.byteOffset, ...rest);
}

export function loopSoftmaxGradient(
  pattern: Float32Array,
  slope: Float32Array,
  queries: number,
  keys: number,
  scale: number,
): void {
  for (let query = 0; query < queries; query++) {
    const row = query * keys;
    const end = row + keys - queries + query + 1;
    let dot = 0;
    for (let i = row; i < end; i++) dot += slope[i]! * pattern[i]!;
    for (let i = row; i < end; i++) slope[i] = (slope[i]! - dot) * pattern[i]! * scale;
    slope.fill(0, end, row + keys);
  }
}
