import { number, type Attributes } from "../kernel.js";

/** The attributes of an attention kernel. */
export interface Layout {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  dHead: number;
  joined: boolean;
}

export function layoutOf(attributes: Attributes): Layout {
  const [batch, heads, queries, keys, dHead] = ["batch", "heads", "queries", "keys", "dHead"].map((name) =>
    number(attributes, name),
  ) as [number, number, number, number, number];
  return { batch, heads, queries, keys, dHead, joined: Boolean(attributes["joined"]) };
}

/** One operand's rows: where the first of a batch entry and head begins, and how far they are apart. */
export interface Rows {
  data: Float32Array;
  stride: number;
  offset: (batch: number, head: number) => number;
}

/** The rows of q, k and v (parts 0, 1, 2) or of their gradients. */
export function rowsOf(data: Float32Array, part: number, { batch, heads, dHead, joined }: Layout): Rows {
  const width = heads * dHead;
  const stride = joined ? 3 * width : width;
  const perBatch = data.length / batch;
  const column = joined ? part * width : 0;
  return { data, stride, offset: (b, head) => b * perBatch + column + head * dHead };
}

/** The rows of z or its gradient, `[batch·queries, dModel]`. */
export function outputRows(data: Float32Array, layout: Layout): Rows {
  return rowsOf(data, 0, { ...layout, joined: false });
}

/** Queries that are multiplied together, and the keys that any of them may see. */
export interface Block {
  from: number;
  rows: number;
  seen: number;
}

// Products of this many rows are as fast as larger ones.
const BLOCK = 128;

/** Queries in blocks: of a long sequence's scores, half are hidden by causality and need not be computed. */
export function queryBlocks({ queries, keys }: Layout): Block[] {
  return Array.from({ length: Math.ceil(queries / BLOCK) }, (_, i) => {
    const from = i * BLOCK;
    const rows = Math.min(BLOCK, queries - from);
    return { from, rows, seen: keys - queries + from + rows };
  });
}

/** Keys in blocks: `rows` of them from `from` on, which no query before `first` may see. */
export function keyBlocks({ queries, keys }: Layout): { from: number; rows: number; first: number }[] {
  return Array.from({ length: Math.ceil(keys / BLOCK) }, (_, i) => {
    const from = i * BLOCK;
    const first = Math.max(0, from - (keys - queries));
    return { from, rows: Math.min(BLOCK, keys - from), first };
  });
}
