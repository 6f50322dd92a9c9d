import type { Simd } from "../simd/module.js";
import type { Layout, Rows } from "./attention-layout.js";
import { loopSoftmax } from "./softmax.js";

/** One query for each batch entry and head, in one call; scores are `[batch or, where they are not kept, 1, head, key]`. */
export function simdAttendOne(
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
    keepPattern ? bytes * heads * keys : 0,
    1 / Math.sqrt(dHead),
  );
}

/** One query: dot products, for which calling a BLAS would cost more than computing. */
export function attendOne(
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
