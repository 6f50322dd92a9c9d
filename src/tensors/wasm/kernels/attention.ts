import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused";
import type { Sgemm } from "../blas";
import { expOfNegative } from "../exponential";
import { input, number, registerFused, type Attributes } from "../kernel";
import type { Simd } from "../simd/module";

/*
 * Attention head by head, on the rows as they lie: a BLAS takes the distance between rows as an argument, so heads need be
 * neither split nor joined, and keys are read where the cache has them.
 */

interface Layout {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  dHead: number;
  joined: boolean;
}

function layoutOf(attributes: Attributes): Layout {
  const [batch, heads, queries, keys, dHead] = ["batch", "heads", "queries", "keys", "dHead"].map((name) =>
    number(attributes, name),
  ) as [number, number, number, number, number];
  return { batch, heads, queries, keys, dHead, joined: Boolean(attributes["joined"]) };
}

/** One operand's rows: where the first of a batch entry and head begins, and how far they are apart. */
interface Rows {
  data: Float32Array;
  stride: number;
  offset: (batch: number, head: number) => number;
}

/** The rows of q, k and v (parts 0, 1, 2) or of their gradients. */
function rowsOf(data: Float32Array, part: number, { batch, heads, dHead, joined }: Layout): Rows {
  const width = heads * dHead;
  const stride = joined ? 3 * width : width;
  const perBatch = data.length / batch;
  const column = joined ? part * width : 0;
  return { data, stride, offset: (b, head) => b * perBatch + column + head * dHead };
}

/** The rows of z or its gradient, `[batch·queries, dModel]`. */
function outputRows(data: Float32Array, layout: Layout): Rows {
  return rowsOf(data, 0, { ...layout, joined: false });
}

export function registerAttention(sgemm: Sgemm, simd: Simd | null): void {
  const softmax = simd ? simdSoftmax(simd) : loopSoftmax;
  const softmaxGradient = simd ? simdSoftmaxGradient(simd) : loopSoftmaxGradient;
  registerFused(FUSED.attention, (inputs, attributes, heap) => {
    const layout = layoutOf(attributes);
    const { batch, heads, queries, keys, dHead } = layout;
    const z = heap.allocate([batch * queries, heads * dHead]);
    const keep = Boolean(attributes["keepPattern"]);
    const pattern = heap.allocate(keep ? [batch, heads, queries, keys] : [queries, keys]);
    const finish = (): tf.TensorInfo[] => {
      if (keep) return [z, pattern];
      heap.free(pattern);
      return [z];
    };
    const [q, k, v] = ["q", "k", "v"].map((name, part) =>
      rowsOf(heap.floats(input(inputs, name)), part, layout),
    ) as [Rows, Rows, Rows];
    const pads = heap.integers(input(inputs, "pads"));
    const out = outputRows(heap.floats(z), layout);
    const patterns = heap.floats(pattern);
    if (simd && queries === 1) {
      simdAttendOne(simd, layout, [q, k, v], out, patterns, pads, keep);
      return finish();
    }
    for (let b = 0; b < batch; b++) {
      for (let head = 0; head < heads; head++) {
        const from = keep ? (b * heads + head) * queries * keys : 0;
        const scores = patterns.subarray(from, from + queries * keys);
        if (queries === 1) {
          attendOne(layout, pads[b]!, q, k, v, out, scores, b, head);
          continue;
        }
        product(
          sgemm,
          false,
          true,
          queries,
          keys,
          dHead,
          at(q, b, head),
          at(k, b, head),
          matrix(scores, keys),
        );
        softmax(scores, pads[b]!, queries, keys, 1 / Math.sqrt(dHead));
        product(
          sgemm,
          false,
          false,
          queries,
          dHead,
          keys,
          matrix(scores, keys),
          at(v, b, head),
          at(out, b, head),
        );
      }
    }
    return finish();
  });

  registerFused(FUSED.attentionGrad, (inputs, attributes, heap) => {
    const layout = layoutOf(attributes);
    const { batch, heads, queries, keys, dHead } = layout;
    const sources = ["q", "k", "v"].map((name) => input(inputs, name));
    const outputs = (layout.joined ? sources.slice(0, 1) : sources).map(({ shape }) => heap.allocate(shape));
    const scratch = heap.allocate([queries, keys]);
    const read = (info: tf.TensorInfo, part: number): Rows => rowsOf(heap.floats(info), part, layout);
    const [q, k, v] = sources.map(read) as [Rows, Rows, Rows];
    const [dq, dk, dv] = [0, 1, 2].map((part) =>
      read(outputs[layout.joined ? 0 : part] as tf.TensorInfo, part),
    ) as [Rows, Rows, Rows];
    // What the cache has room for but does not hold gets no gradient.
    if (!layout.joined) for (const { data } of [dk, dv]) data.fill(0);
    const patterns = heap.floats(input(inputs, "pattern"));
    const dz = outputRows(heap.floats(input(inputs, "dz")), layout);
    const dScores = heap.floats(scratch);
    const scores = matrix(dScores, keys);
    for (let b = 0; b < batch; b++) {
      for (let head = 0; head < heads; head++) {
        const from = (b * heads + head) * queries * keys;
        const own = patterns.subarray(from, from + queries * keys);
        product(sgemm, false, true, queries, keys, dHead, at(dz, b, head), at(v, b, head), scores);
        softmaxGradient(own, dScores, queries, keys, 1 / Math.sqrt(dHead));
        product(sgemm, false, false, queries, dHead, keys, scores, at(k, b, head), at(dq, b, head));
        product(sgemm, true, false, keys, dHead, queries, scores, at(q, b, head), at(dk, b, head));
        product(
          sgemm,
          true,
          false,
          keys,
          dHead,
          queries,
          matrix(own, keys),
          at(dz, b, head),
          at(dv, b, head),
        );
      }
    }
    heap.free(scratch);
    return outputs;
  });
}

interface Operand {
  data: Float32Array;
  stride: number;
}

function at(rows: Rows, batch: number, head: number): Operand {
  return { data: rows.data.subarray(rows.offset(batch, head)), stride: rows.stride };
}

function matrix(data: Float32Array, stride: number): Operand {
  return { data, stride };
}

function product(
  sgemm: Sgemm,
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: Operand,
  b: Operand,
  c: Operand,
): void {
  sgemm(transposeA, transposeB, m, n, k, a.data, a.stride, b.data, b.stride, 0, c.data, c.stride);
}

/** Scores become weights, row by row: those of hidden keys 0, and all of them where a query sees nothing. */
type Softmax = (scores: Float32Array, pad: number, queries: number, keys: number, scale: number) => void;

function simdSoftmax(simd: Simd): Softmax {
  return (scores, ...rest) => simd.softmax(scores.byteOffset, ...rest);
}

function loopSoftmax(scores: Float32Array, pad: number, queries: number, keys: number, scale: number): void {
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

/** From the gradient of the weights to that of the scores, in place. */
type SoftmaxGradient = (
  pattern: Float32Array,
  slope: Float32Array,
  queries: number,
  keys: number,
  scale: number,
) => void;

function simdSoftmaxGradient(simd: Simd): SoftmaxGradient {
  return (pattern, slope, ...rest) => simd.softmaxGrad(pattern.byteOffset, slope.byteOffset, ...rest);
}

function loopSoftmaxGradient(
  pattern: Float32Array,
  slope: Float32Array,
  _: number,
  keys: number,
  scale: number,
): void {
  for (let row = 0; row < pattern.length; row += keys) {
    let dot = 0;
    for (let i = row; i < row + keys; i++) dot += slope[i]! * pattern[i]!;
    for (let i = row; i < row + keys; i++) slope[i] = (slope[i]! - dot) * pattern[i]! * scale;
  }
}

/** One query for each batch entry and head, in one call. */
function simdAttendOne(
  simd: Simd,
  { batch, heads, keys, dHead }: Layout,
  [q, k, v]: [Rows, Rows, Rows],
  z: Rows,
  scores: Float32Array,
  pads: Int32Array,
  keepPattern: boolean,
): void {
  const bytes = Float32Array.BYTES_PER_ELEMENT;
  const address = (rows: Rows): number => rows.data.byteOffset + bytes * rows.offset(0, 0);
  const step = (rows: Rows): number => bytes * (rows.offset(1, 0) - rows.offset(0, 0));
  simd.attendOne(
    address(q),
    address(k),
    address(v),
    address(z),
    scores.byteOffset,
    pads.byteOffset,
    batch,
    heads,
    keys,
    dHead,
    step(q),
    step(k),
    bytes * k.stride,
    keepPattern ? bytes * keys : 0,
    1 / Math.sqrt(dHead),
  );
}

/** One query: dot products, for which calling a BLAS would cost more than computing. */
function attendOne(
  { keys, dHead }: Layout,
  pad: number,
  q: Rows,
  k: Rows,
  v: Rows,
  z: Rows,
  scores: Float32Array,
  batch: number,
  head: number,
): void {
  const start = Math.min(pad, keys);
  const from = q.offset(batch, head);
  const query = q.data.subarray(from, from + dHead);
  const keyRows = k.data;
  for (let j = start, key = k.offset(batch, head) + start * k.stride; j < keys; j++, key += k.stride) {
    scores[j] = dot(query, keyRows, key);
  }
  loopSoftmax(scores, pad, 1, keys, 1 / Math.sqrt(dHead));
  const to = z.offset(batch, head);
  const out = z.data.subarray(to, to + dHead);
  out.fill(0);
  const valueRows = v.data;
  for (let j = start, value = v.offset(batch, head) + start * v.stride; j < keys; j++, value += v.stride) {
    addScaled(out, valueRows, value, scores[j]!);
  }
}

/** `a · b[from…]`, in four sums so that additions need not wait for each other. */
function dot(a: Float32Array, b: Float32Array, from: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[from + i]!;
    s1 += a[i + 1]! * b[from + i + 1]!;
    s2 += a[i + 2]! * b[from + i + 2]!;
    s3 += a[i + 3]! * b[from + i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[from + i]!;
  return s0 + s1 + (s2 + s3);
}

/** `out += weight · b[from…]` */
function addScaled(out: Float32Array, b: Float32Array, from: number, weight: number): void {
  for (let i = 0; i < out.length; i++) out[i] = out[i]! + weight * b[from + i]!;
}
