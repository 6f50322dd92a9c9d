import { expect } from "vitest";
import { FUSED } from "../../../src/tensors/ops/fused.js";
import { expectWithin, run, sum, values, type Inputs } from "./running.js";

/* Attention and its gradient in float64, in plain loops, and cases to hold the kernels against. */

interface LayoutOf {
  batch: number;
  heads: number;
  queries: number;
  past: number;
  spare: number;
  dHead: number;
  joined: boolean;
  pad: number;
  sharpness: number;
  seed: number;
}

interface AttentionCase {
  inputs: Inputs;
  attributes: {
    batch: number;
    heads: number;
    queries: number;
    keys: number;
    dHead: number;
    joined: boolean;
  };
  pads: Int32Array;
  /** The value of part 0, 1 or 2 (q, k, v), and where it lies in its tensor. */
  at: (part: number, b: number, head: number, row: number, column: number) => number;
  data: Float32Array[];
}

export function attentionCase(layout: LayoutOf): AttentionCase {
  const { batch, heads, queries, dHead, joined, seed: start, sharpness } = layout;
  const keys = joined ? queries : queries + layout.past;
  const capacity = joined ? queries : keys + layout.spare;
  const wide = heads * dHead;
  const pads = Int32Array.from({ length: batch }, (_, b) => (b === 0 ? 0 : layout.pad));
  const make = (size: number, offset: number): Float32Array =>
    values(size, start + offset, [0, -0], sharpness);
  const qkv = make(batch * queries * 3 * wide, 0);
  const data = joined
    ? [qkv, qkv, qkv]
    : [make(batch * queries * wide, 1), make(batch * capacity * wide, 2), make(batch * capacity * wide, 3)];
  const shapes = joined
    ? Array.from({ length: 3 }, () => [batch * queries, 3 * wide])
    : [queries, capacity, capacity].map((length) => [batch, length, wide]);
  return {
    inputs: {
      q: [data[0]!, shapes[0]!],
      k: [data[1]!, shapes[1]!],
      v: [data[2]!, shapes[2]!],
      pads: [pads, [batch]],
    },
    attributes: { batch, heads, queries, keys, dHead, joined },
    pads,
    data,
    at: (part, b, head, row, column) =>
      joined
        ? ((b * queries + row) * 3 + part) * wide + head * dHead + column
        : (b * (part === 0 ? queries : capacity) + row) * wide + head * dHead + column,
  };
}

export function expectAttention(made: AttentionCase, keepPattern: boolean): void {
  const [z, pattern] = run(FUSED.attention, made.inputs, { ...made.attributes, keepPattern });
  const reference = attend(made);
  const bound = 2e-6 * (1 + reference.largestScore);
  expectWithin(z!, (at) => ({ value: reference.z[at]!, tolerance: bound * reference.largestValue }));
  expect(pattern === undefined).toBe(!keepPattern);
  if (pattern) {
    expectWithin(pattern, (at) => {
      const value = reference.pattern[at]!;
      return { value, tolerance: value === 0 ? 0 : bound };
    });
  }
}

export function expectAttentionGradient(made: AttentionCase, start: number): void {
  const { batch, heads, queries, keys, dHead, joined } = made.attributes;
  const reference = attend(made);
  const dz = values(batch * queries * heads * dHead, start + 9, []);
  const pattern = Float32Array.from(reference.pattern);
  const inputs = {
    ...made.inputs,
    pattern: [pattern, [batch, heads, queries, keys]],
    dz: [dz, [batch * queries, heads * dHead]],
  } satisfies Inputs;
  const outputs = run(FUSED.attentionGrad, inputs, made.attributes);
  const expected = attentionGradient(made, reference.pattern, dz);
  (joined ? [expected.q] : [expected.q, expected.k, expected.v]).forEach((gradient, part) => {
    expectWithin(outputs[part]!, (at) => ({ value: gradient[at]!, tolerance: 3e-5 }));
  });
}

function attend({ attributes, at, data, pads }: AttentionCase): {
  z: Float64Array;
  pattern: Float64Array;
  largestScore: number;
  largestValue: number;
} {
  const { batch, heads, queries, keys, dHead } = attributes;
  const z = new Float64Array(batch * queries * heads * dHead);
  const pattern = new Float64Array(batch * heads * queries * keys);
  let largestScore = 0;
  const [q, k, v] = data as [Float32Array, Float32Array, Float32Array];
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < queries; query++) {
        const row = ((b * heads + head) * queries + query) * keys;
        const seen: [number, number][] = [];
        for (let key = pads[b]!; key <= query + keys - queries; key++) {
          const product = (i: number): number => q[at(0, b, head, query, i)]! * k[at(1, b, head, key, i)]!;
          seen.push([key, sum(dHead, product) / Math.sqrt(dHead)]);
          largestScore = Math.max(largestScore, sum(dHead, (i) => Math.abs(product(i))) / Math.sqrt(dHead));
        }
        const top = Math.max(...seen.map(([, score]) => score));
        const total = seen.reduce((all, [, score]) => all + Math.exp(score - top), 0);
        for (const [key, score] of seen) {
          const weight = Math.exp(score - top) / total;
          pattern[row + key] = weight;
          for (let i = 0; i < dHead; i++) {
            z[((b * queries + query) * heads + head) * dHead + i]! += weight * v[at(2, b, head, key, i)]!;
          }
        }
      }
    }
  }
  return { z, pattern, largestScore, largestValue: v.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
}

function attentionGradient(
  { attributes, at, data }: AttentionCase,
  pattern: Float64Array,
  dz: Float32Array,
): { q: Float64Array; k: Float64Array; v: Float64Array } {
  const { batch, heads, queries, keys, dHead, joined } = attributes;
  const [q, k, v] = data as [Float32Array, Float32Array, Float32Array];
  const dq = new Float64Array(q.length);
  const [dk, dv] = joined ? [dq, dq] : [new Float64Array(k.length), new Float64Array(v.length)];
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < queries; query++) {
        const row = ((b * heads + head) * queries + query) * keys;
        const out = ((b * queries + query) * heads + head) * dHead;
        const slopes = Array.from({ length: keys }, (_, key) =>
          sum(dHead, (i) => dz[out + i]! * v[at(2, b, head, key, i)]!),
        );
        const mean = sum(keys, (key) => slopes[key]! * pattern[row + key]!);
        for (let key = 0; key < keys; key++) {
          const weight = pattern[row + key]!;
          const slope = ((slopes[key]! - mean) * weight) / Math.sqrt(dHead);
          for (let i = 0; i < dHead; i++) {
            dq[at(0, b, head, query, i)]! += slope * k[at(1, b, head, key, i)]!;
            dk[at(1, b, head, key, i)]! += slope * q[at(0, b, head, query, i)]!;
            dv[at(2, b, head, key, i)]! += weight * dz[out + i]!;
          }
        }
      }
    }
  }
  return { q: dq, k: dk, v: dv };
}
