import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { DeviceBackend } from "../device.js";
import { numberOf, take, type Call } from "./define.js";

/*
 * What the attention kernels share: where queries, keys and values lie, and how the work is cut into tiles.
 */

/** Queries, keys and values, and where they lie. */
export interface AttentionCall {
  q: TensorInfo;
  k: TensorInfo;
  v: TensorInfo;
  pads: TensorInfo;
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  dHead: number;
  joined: boolean;
  /** Values of {@link SHAPE}. */
  parameters: Record<keyof typeof SHAPE, number>;
}

/** Parameters of every attention kernel. */
export const SHAPE = {
  heads: "u32",
  queries: "u32",
  keys: "u32",
  /** Elements from one position to the next, and from one sequence to the next, of q and of k and v. */
  rowQ: "u32",
  sequenceQ: "u32",
  rowK: "u32",
  sequenceK: "u32",
  /** Where keys and values begin: past the queries where all are one tensor. */
  beginK: "u32",
  beginV: "u32",
} as const;

export function attentionCall({ inputs, attrs }: Call): AttentionCall {
  const [batch, heads, queries, keys, dHead] = ["batch", "heads", "queries", "keys", "dHead"].map((name) =>
    numberOf(attrs, name),
  ) as [number, number, number, number, number];
  const joined = attrs["joined"] === true;
  const [q, k, v, pads] = ["q", "k", "v", "pads"].map((name) => take(inputs, name)) as [
    TensorInfo,
    TensorInfo,
    TensorInfo,
    TensorInfo,
  ];
  const dModel = heads * dHead;
  const capacity = joined ? queries : (k.shape[1] ?? 0);
  const row = joined ? 3 * dModel : dModel;
  const parameters = {
    heads,
    queries,
    keys,
    rowQ: row,
    sequenceQ: queries * row,
    rowK: row,
    sequenceK: capacity * row,
    beginK: joined ? dModel : 0,
    beginV: joined ? 2 * dModel : 0,
  };
  return { q, k, v, pads, batch, heads, queries, keys, dHead, joined, parameters };
}

/** How a kernel goes over an attention pattern: `rows` at once per workgroup, each by `lanes`, against `columns` at a time. */
export interface PatternTile {
  rows: number;
  lanes: number;
  columns: number;
}

/**
 * The tile for so many rows: sixteen of them share what is read, or a single one (a token that is generated) has a
 * workgroup to itself. Columns are as many as fit the workgroup's memory.
 *
 * @param floats workgroup memory for a tile, in float32
 */
export function patternTile(
  backend: DeviceBackend,
  rows: number,
  floats: (tile: PatternTile) => number,
): PatternTile {
  const shapes = rows < 4 ? [{ rows: 1, lanes: 64 }] : [{ rows: 16, lanes: 8 }];
  for (const shape of shapes) {
    for (const columns of [64, 32, 16, 8]) {
      const tile = { ...shape, columns };
      // Two kilobytes or so per row keep several workgroups on a multiprocessor.
      if (shape.rows > 1 && columns > 32) continue;
      if (floats(tile) * 4 <= backend.limits.maxWorkgroupBytes) return tile;
    }
  }
  throw new Error(
    `attention: heads are too wide for ${backend.limits.maxWorkgroupBytes} bytes per workgroup`,
  );
}

/** WGSL that every attention kernel begins with: which sequence, head and rows a workgroup has, and an invocation of them. */
export const WHERE = ({ rows, lanes }: PatternTile): string => `
  let head = group.y;
  let sequence = group.z;
  let row0 = group.x * ${rows}u;
  let own = tid / ${lanes}u;
  let lane = tid % ${lanes}u;
  let row = row0 + own;`;

/**
 * WGSL that brings rows of a head into workgroup memory, one padded to an odd length so that neighbours lie in different
 * banks; rows from `end` on are zero.
 */
export function fetchRows(
  into: string,
  from: string,
  count: number,
  { first, end, base, stride }: { first: string; end: string; base: string; stride: string },
  dHead: number,
  { rows, lanes }: PatternTile,
): string {
  return `for (var t = tid; t < ${count * dHead}u; t += ${rows * lanes}u) {
      let r = t / ${dHead}u;
      let d = t % ${dHead}u;
      let position = ${first} + r;
      var value = 0.0;
      if (position < ${end}) { value = ${from}[${base} + position * ${stride} + d]; }
      ${into}[r * ${dHead | 1}u + d] = value;
    }`;
}
