import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import { input, number, registerFused, type Attributes, type Heap } from "../kernel.js";
import type { Simd } from "../simd/module.js";
import { attendOne, simdAttendOne } from "./attend-one.js";
import { rowsOf, type Layout, type Rows } from "./attention-layout.js";
import { loopSoftmaxGradient } from "./softmax.js";

/*
 * One new token per row over a past that moves along its gradient: rank one per head, so that the gradient itself is never
 * there (ops/attend-past.ts).
 */

/** Keeps a norm from being zero, as PPLM has it. */
const SMALL = 1e-15;

export function registerPast(simd: Simd | null): void {
  registerFused(FUSED.attendPast, (inputs, attributes, heap) => {
    const layout = layoutOf(inputs, attributes);
    const { batch, heads, keys, dHead } = layout;
    const z = heap.allocate([batch, heads * dHead]);
    const pattern = heap.allocate([batch, heads, keys]);
    const [q, k, v] = operands(inputs, heap, layout);
    const pads = heap.integers(input(inputs, "pads"));
    const out = rowsOf(heap.floats(z), 0, layout);
    const weights = heap.floats(pattern);
    placeOwn(heap.floats(input(inputs, "qkv")), [k, v], layout);
    if (simd) {
      simdAttendOne(simd, layout, [q, k, v], out, weights, pads, true);
    } else {
      eachHead(layout, (b, head, row) =>
        attendOne(layout, pads[b]!, q, k, v, out, weights.subarray(row * keys, (row + 1) * keys), b, head),
      );
    }
    return [z, pattern];
  });

  registerFused(FUSED.attendPastGrad, (inputs, attributes, heap) => {
    const layout = layoutOf(inputs, attributes);
    const { batch, heads, keys, dHead } = layout;
    const dQkv = heap.allocate([batch, 3 * heads * dHead]);
    const factors = heap.allocate([batch, heads, 2 * (keys + dHead)]);
    if (simd) {
      const address = (name: string): number => heap.address(input(inputs, name));
      const step = 4 * ((input(inputs, "keys").shape[1] ?? 0) * heads * dHead);
      const given = ["qkv", "keys", "values", "pattern", "dz"].map(address) as [
        number,
        number,
        number,
        number,
        number,
      ];
      const to = [heap.address(dQkv), heap.address(factors)] as const;
      const scale = 1 / Math.sqrt(dHead);
      simd.attendPastGrad(...given, ...to, address("pads"), batch, heads, keys, dHead, step, scale);
    } else {
      loopGradient(layout, inputs, heap, heap.floats(dQkv), heap.floats(factors));
    }
    return [dQkv, factors];
  });

  registerFused(FUSED.stepPast, (inputs, attributes, heap) => {
    const layout = layoutOf(inputs, attributes);
    const { batch } = layout;
    const norms = heap.allocate([batch]);
    const [size, gamma] = [number(attributes, "size"), number(attributes, "gamma")];
    const out = heap.floats(norms);
    const { square, step } = simd ? simdStep(simd, layout, inputs, heap) : loopStep(layout, inputs, heap);
    for (let b = 0; b < batch; b++) {
      const norm = Math.sqrt(square(b)) + SMALL;
      out[b] = norm;
      const factor = -size / norm ** gamma;
      if (factor !== 0) step(b, factor);
    }
    return norms;
  });
}

type Inputs = Record<string, tf.TensorInfo>;

function layoutOf(inputs: Inputs, attributes: Attributes): Layout {
  const { shape } = input(inputs, "keys");
  const heads = number(attributes, "heads");
  const dHead = (shape[2] ?? 0) / heads;
  return {
    batch: shape[0] ?? 0,
    heads,
    queries: 1,
    keys: number(attributes, "at") + 1,
    dHead,
    joined: false,
  };
}

/** Queries among qkv, and keys and values of the cache. */
function operands(inputs: Inputs, heap: Heap, layout: Layout): [q: Rows, k: Rows, v: Rows] {
  return [
    rowsOf(heap.floats(input(inputs, "qkv")), 0, { ...layout, joined: true }),
    ...(["keys", "values"] as const).map((name) => rowsOf(heap.floats(input(inputs, name)), 0, layout)),
  ] as [Rows, Rows, Rows];
}

/** Writes the token's own key and value after those of its past. */
function placeOwn(qkv: Float32Array, cache: [Rows, Rows], { batch, heads, keys, dHead }: Layout): void {
  const wide = heads * dHead;
  cache.forEach(({ data, offset }, i) => {
    for (let b = 0; b < batch; b++) {
      const from = (3 * b + 1 + i) * wide;
      data.set(qkv.subarray(from, from + wide), offset(b, 0) + (keys - 1) * wide);
    }
  });
}

function eachHead({ batch, heads }: Layout, run: (b: number, head: number, row: number) => void): void {
  for (let b = 0; b < batch; b++) for (let head = 0; head < heads; head++) run(b, head, b * heads + head);
}

function loopGradient(
  layout: Layout,
  inputs: Inputs,
  heap: Heap,
  dQkv: Float32Array,
  factors: Float32Array,
): void {
  const { keys, dHead, heads } = layout;
  const [q, k, v] = operands(inputs, heap, layout);
  const [pattern, dz] = ["pattern", "dz"].map((name) => heap.floats(input(inputs, name))) as [
    Float32Array,
    Float32Array,
  ];
  const wide = heads * dHead;
  eachHead(layout, (b, head, row) => {
    const own = factors.subarray(2 * row * (keys + dHead), 2 * (row + 1) * (keys + dHead));
    const weights = pattern.subarray(row * keys, (row + 1) * keys);
    const slope = dz.subarray(row * dHead, (row + 1) * dHead);
    const query = q.data.subarray(q.offset(b, head), q.offset(b, head) + dHead);
    const dScores = own.subarray(0, keys);
    for (let j = 0, value = v.offset(b, head); j < keys; j++, value += wide) {
      let sum = 0;
      for (let d = 0; d < dHead; d++) sum += slope[d]! * v.data[value + d]!;
      dScores[j] = sum;
    }
    loopSoftmaxGradient(weights, dScores, 1, keys, 1 / Math.sqrt(dHead));
    own.set(weights, keys);
    own.set(query, 2 * keys);
    own.set(slope, 2 * keys + dHead);
    const to = 3 * b * wide + head * dHead;
    for (let d = 0; d < dHead; d++) {
      let sum = 0;
      for (let j = 0, key = k.offset(b, head) + d; j < keys; j++, key += wide)
        sum += dScores[j]! * k.data[key]!;
      dQkv[to + d] = sum;
      dQkv[to + wide + d] = dScores[keys - 1]! * query[d]!;
      dQkv[to + 2 * wide + d] = weights[keys - 1]! * slope[d]!;
    }
  });
}

/** How a batch entry's gradient is squared, and how keys and values take `factor` times it. */
interface Step {
  square: (b: number) => number;
  step: (b: number, factor: number) => void;
}

function simdStep(simd: Simd, { heads, keys, dHead }: Layout, inputs: Inputs, heap: Heap): Step {
  const [k, v, factors, mask] = ["keys", "values", "factors", "mask"].map((name) =>
    heap.address(input(inputs, name)),
  ) as [number, number, number, number];
  const perEntry = 4 * (input(inputs, "keys").shape[1] ?? 0) * heads * dHead;
  const ownFactors = (b: number): number => factors + 8 * b * heads * (keys + dHead);
  const ownMask = (b: number): number => mask + 4 * b * (keys - 1);
  return {
    square: (b) => simd.squaredFactors(ownFactors(b), ownMask(b), heads, keys, dHead),
    step: (b, factor) => {
      const [ownKeys, ownValues] = [k, v].map((at) => at + b * perEntry) as [number, number];
      simd.stepPast(ownKeys, ownValues, ownFactors(b), ownMask(b), heads, keys, dHead, factor);
    },
  };
}

function loopStep(layout: Layout, inputs: Inputs, heap: Heap): Step {
  const { heads, keys, dHead } = layout;
  const caches = ["keys", "values"].map((name) => rowsOf(heap.floats(input(inputs, name)), 0, layout));
  const [factors, mask] = ["factors", "mask"].map((name) => heap.floats(input(inputs, name))) as [
    Float32Array,
    Float32Array,
  ];
  const wide = heads * dHead;
  /** Where the weights of the positions and the direction they share begin, for keys (0) and values (1) of a head. */
  const places = (b: number, head: number, side: number): { weights: number; direction: number } => {
    const own = 2 * (b * heads + head) * (keys + dHead);
    return { weights: own + side * keys, direction: own + 2 * keys + side * dHead };
  };
  const weight = (b: number, weights: number, j: number): number =>
    factors[weights + j]! * mask[b * (keys - 1) + j]!;
  return {
    square: (b) => {
      let all = 0;
      for (let i = 0; i < 2 * heads; i++) {
        const { weights, direction } = places(b, i >> 1, i & 1);
        let [left, right] = [0, 0];
        for (let j = 0; j < keys - 1; j++) left += weight(b, weights, j) ** 2;
        for (let d = 0; d < dHead; d++) right += factors[direction + d]! ** 2;
        all += left * right;
      }
      return all;
    },
    step: (b, factor) => {
      for (let i = 0; i < 2 * heads; i++) {
        const { weights, direction } = places(b, i >> 1, i & 1);
        const { data, offset } = caches[i & 1]!;
        const first = offset(b, i >> 1);
        for (let j = 0, to = first; j < keys - 1; j++, to += wide) {
          const by = factor * weight(b, weights, j);
          for (let d = 0; d < dHead; d++) data[to + d] = data[to + d]! + by * factors[direction + d]!;
        }
      }
    },
  };
}
