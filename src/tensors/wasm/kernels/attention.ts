import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { Sgemm } from "../blas/index.js";
import { input, registerFused } from "../kernel.js";
import type { Simd } from "../simd/module.js";
import { attendOne, simdAttendOne } from "./attend-one.js";
import { keyBlocks, layoutOf, outputRows, queryBlocks, rowsOf, type Rows } from "./attention-layout.js";
import { loopSoftmax, loopSoftmaxGradient, simdSoftmax, simdSoftmaxGradient } from "./softmax.js";

/*
 * Attention head by head, on the rows as they lie: a BLAS takes the distance between rows as an argument, so heads need be
 * neither split nor joined, and keys are read where the cache has them. A single query needs no BLAS.
 */

export function registerAttention(sgemm: Sgemm, simd: Simd | null): void {
  const softmax = simd ? simdSoftmax(simd) : loopSoftmax;
  const softmaxGradient = simd ? simdSoftmaxGradient(simd) : loopSoftmaxGradient;
  registerFused(FUSED.attention, (inputs, attributes, heap) => {
    const layout = layoutOf(attributes);
    const { batch, heads, queries, keys, dHead } = layout;
    const z = heap.allocate([batch * queries, heads * dHead]);
    const keep = Boolean(attributes["keepPattern"]);
    const rows = simd && queries === 1 ? heads : queries;
    const pattern = heap.allocate(keep ? [batch, heads, queries, keys] : [rows, keys]);
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
    const blocks = queryBlocks(layout);
    for (let b = 0; b < batch; b++) {
      for (let head = 0; head < heads; head++) {
        const first = keep ? (b * heads + head) * queries * keys : 0;
        const scores = patterns.subarray(first, first + queries * keys);
        if (queries === 1) {
          attendOne(layout, pads[b]!, q, k, v, out, scores, b, head);
          continue;
        }
        for (const { from, rows, seen } of blocks) {
          const [query, key, own] = [at(q, b, head, from), at(k, b, head), matrix(scores, keys, from)];
          product(sgemm, false, true, rows, seen, dHead, query, key, own);
        }
        softmax(scores, pads[b]!, queries, keys, 1 / Math.sqrt(dHead));
        for (const { from, rows, seen } of blocks) {
          const [own, value, to] = [matrix(scores, keys, from), at(v, b, head), at(out, b, head, from)];
          product(sgemm, false, false, rows, dHead, seen, own, value, to);
        }
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
    const [blocks, blocksOfKeys] = [queryBlocks(layout), keyBlocks(layout)];
    for (let b = 0; b < batch; b++) {
      for (let head = 0; head < heads; head++) {
        const first = (b * heads + head) * queries * keys;
        const own = patterns.subarray(first, first + queries * keys);
        for (const { from, rows, seen } of blocks) {
          const [slope, value, scores] = [at(dz, b, head, from), at(v, b, head), matrix(dScores, keys, from)];
          product(sgemm, false, true, rows, seen, dHead, slope, value, scores);
        }
        softmaxGradient(own, dScores, queries, keys, 1 / Math.sqrt(dHead));
        for (const { from, rows, seen } of blocks) {
          const [scores, key, to] = [matrix(dScores, keys, from), at(k, b, head), at(dq, b, head, from)];
          product(sgemm, false, false, rows, dHead, seen, scores, key, to);
        }
        for (const { from, rows, first } of blocksOfKeys) {
          const [query, slope] = [q, dz].map((each) => at(each, b, head, first)) as [Operand, Operand];
          const [scores, weights] = [dScores, own].map((each) => matrix(each, keys, first, from)) as [
            Operand,
            Operand,
          ];
          const seeing = queries - first;
          product(sgemm, true, false, rows, dHead, seeing, scores, query, at(dk, b, head, from));
          product(sgemm, true, false, rows, dHead, seeing, weights, slope, at(dv, b, head, from));
        }
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

/** Rows of one batch entry and head, from row `from` on. */
function at(rows: Rows, batch: number, head: number, from = 0): Operand {
  return { data: rows.data.subarray(rows.offset(batch, head) + from * rows.stride), stride: rows.stride };
}

/** A matrix of rows without gaps, from a row and a column on. */
function matrix(data: Float32Array, stride: number, row = 0, column = 0): Operand {
  return { data: data.subarray(row * stride + column), stride };
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
