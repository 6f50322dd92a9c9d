import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { DeviceBackend } from "../device.js";
import { programOf, run, type Program } from "../run.js";
import {
  SHAPE,
  WHERE,
  attentionCall,
  fetchRows,
  patternTile,
  type AttentionCall,
  type PatternTile,
} from "./attention-shape.js";
import { define, floatOutput, take } from "./define.js";

/*
 * The gradient of attention in two kernels, from the pattern P that the forward pass kept:
 *
 *   dP = dz·vᵀ    dS = P ∘ (dP − Σ P∘dP)/√dHead    dq = dS·k    dk = dSᵀ·q    dv = Pᵀ·dz
 *
 * The first has rows of queries, and writes dS and dq. The second has rows of keys, and writes dk and dv.
 */

export function registerAttentionGrad(): void {
  define(FUSED.attentionGrad, (call) => {
    const { backend, inputs } = call;
    const shape = attentionCall(call);
    const { q, k, v, batch, heads, queries, keys, joined } = shape;
    const dScores = floatOutput(backend, [batch, heads, queries, keys]);
    const outputs = (joined ? [q] : [q, k, v]).map((input) => floatOutput(backend, input.shape));
    if (batch * queries === 0) return outputs;
    const given = { pattern: take(inputs, "pattern"), dz: take(inputs, "dz") };
    const [dq, dk, dv] = outputs as [TensorInfo, TensorInfo | undefined, TensorInfo | undefined];
    byQueries(backend, shape, given, dScores, dq);
    byKeys(backend, shape, given, dScores, dk && dv ? [dk, dv] : [dq]);
    backend.disposeData(dScores.dataId);
    return outputs;
  });
}

interface Given {
  pattern: TensorInfo;
  dz: TensorInfo;
}

const each = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join("\n      ");

/** WGSL for the columns of a head that a lane has: `make(c, column)`, left out past the head's width. */
function ownColumns(
  { lanes }: PatternTile,
  dHead: number,
  make: (own: number, column: string) => string,
): string {
  const count = Math.ceil(dHead / lanes);
  return each(count, (c) => {
    const column = `lane + ${c * lanes}u`;
    return count * lanes === dHead
      ? make(c, `(${column})`)
      : `if (${column} < ${dHead}u) { ${make(c, `(${column})`)} }`;
  });
}

function byQueries(
  backend: DeviceBackend,
  { k, v, batch, heads, queries, dHead, parameters }: AttentionCall,
  { pattern, dz }: Given,
  dScores: TensorInfo,
  dq: TensorInfo,
): void {
  const tile = patternTile(
    backend,
    queries,
    ({ rows, lanes, columns }) => (rows + columns) * (dHead | 1) + rows * (columns + lanes),
  );
  const key = `attentionGrad by queries ${dHead} ${Object.values(tile).join("x")}`;
  run(
    backend,
    programOf(key, () => byQueriesProgram(tile, dHead)),
    [k, v, pattern, dz, dScores, dq],
    { ...parameters, scale: 1 / Math.sqrt(dHead) },
    [Math.ceil(queries / tile.rows), heads, batch],
  );
}

function byQueriesProgram(tile: PatternTile, dHead: number): Omit<Program, "key"> {
  const { rows, lanes, columns } = tile;
  const width = dHead | 1;
  const keysAt = { first: "k0", end: "p.keys", stride: "p.rowK" };
  return {
    bindings: [
      { name: "k" },
      { name: "v" },
      { name: "pattern" },
      { name: "dz" },
      { name: "dScores", write: true },
      { name: "dq", write: true },
    ],
    parameters: { ...SHAPE, scale: "f32" },
    workgroup: rows * lanes,
    declarations: `
var<workgroup> dzs: array<f32, ${rows * width}>;
/** Values, then keys. */
var<workgroup> kvs: array<f32, ${columns * width}>;
var<workgroup> slopes: array<f32, ${rows * columns}>;
var<workgroup> dots: array<f32, ${rows * lanes}>;`,
    body: `${WHERE(tile)}
  let past = p.keys - p.queries;
  let offset = head * ${dHead}u;
  let dModel = p.heads * ${dHead}u;
  let baseZ = sequence * p.queries * dModel + offset;
  let baseK = sequence * p.sequenceK + offset + p.beginK;
  let baseV = sequence * p.sequenceK + offset + p.beginV;
  let end = min(p.keys, row0 + ${rows}u + past);
  let here = row < p.queries;
  let patternRow = ((sequence * p.heads + head) * p.queries + row) * p.keys;
  ${fetchRows("dzs", "dz", rows, { first: "row0", end: "p.queries", base: "baseZ", stride: "dModel" }, dHead, tile)}
  // First over the values: dP, kept where dS will be, and Σ P∘dP.
  var dot = 0.0;
  for (var k0 = 0u; k0 < end; k0 += ${columns}u) {
    ${fetchRows("kvs", "v", columns, { ...keysAt, base: "baseV" }, dHead, tile)}
    workgroupBarrier();
    if (here) {
      for (var j = lane; j < ${columns}u && k0 + j < p.keys; j += ${lanes}u) {
        var slope = 0.0;
        for (var d = 0u; d < ${dHead}u; d++) { slope += dzs[own * ${width}u + d] * kvs[j * ${width}u + d]; }
        dScores[patternRow + k0 + j] = slope;
        dot += slope * pattern[patternRow + k0 + j];
      }
    }
    workgroupBarrier();
  }
  dots[tid] = dot;
  workgroupBarrier();
  dot = 0.0;
  for (var l = 0u; l < ${lanes}u; l++) { dot += dots[own * ${lanes}u + l]; }
  // Then over the keys: each invocation finds what it wrote itself.
  ${each(Math.ceil(dHead / lanes), (c) => `var dq${c} = 0.0;`)}
  for (var k0 = 0u; k0 < end; k0 += ${columns}u) {
    ${fetchRows("kvs", "k", columns, { ...keysAt, base: "baseK" }, dHead, tile)}
    for (var j = lane; j < ${columns}u; j += ${lanes}u) {
      var slope = 0.0;
      if (here && k0 + j < p.keys) {
        let at = patternRow + k0 + j;
        slope = pattern[at] * (dScores[at] - dot) * p.scale;
        dScores[at] = slope;
      }
      slopes[own * ${columns}u + j] = slope;
    }
    workgroupBarrier();
    for (var j = 0u; j < ${columns}u; j++) {
      let slope = slopes[own * ${columns}u + j];
      ${ownColumns(tile, dHead, (c, column) => `dq${c} += slope * kvs[j * ${width}u + ${column}];`)}
    }
    workgroupBarrier();
  }
  if (!here) { return; }
  let dqRow = sequence * p.sequenceQ + row * p.rowQ + offset;
  ${ownColumns(tile, dHead, (c, column) => `dq[dqRow + ${column}] = dq${c};`)}`,
  };
}

function byKeys(
  backend: DeviceBackend,
  { q, batch, heads, queries, dHead, parameters, joined }: AttentionCall,
  { pattern, dz }: Given,
  dScores: TensorInfo,
  outputs: TensorInfo[],
): void {
  const capacity = parameters.sequenceK / parameters.rowK;
  const tile = patternTile(
    backend,
    Math.max(4, queries),
    ({ rows, columns }) => 2 * columns * (dHead | 1) + 2 * rows * columns,
  );
  const key = `attentionGrad by keys ${dHead} ${Object.values(tile).join("x")}${joined ? " joined" : ""}`;
  run(
    backend,
    programOf(key, () => byKeysProgram(tile, dHead, joined)),
    [q, pattern, dz, dScores, ...outputs],
    { ...parameters, capacity },
    [Math.ceil(capacity / tile.rows), heads, batch],
  );
}

function byKeysProgram(tile: PatternTile, dHead: number, joined: boolean): Omit<Program, "key"> {
  const { rows, lanes, columns } = tile;
  const width = dHead | 1;
  const threads = rows * lanes;
  const queriesAt = { first: "q0", end: "p.queries" };
  const [dk, dv] = joined ? ["dqkv", "dqkv"] : ["dk", "dv"];
  return {
    bindings: [
      { name: "q" },
      { name: "pattern" },
      { name: "dz" },
      { name: "dScores" },
      ...(joined ? ["dqkv"] : ["dk", "dv"]).map((name) => ({ name, write: true })),
    ],
    parameters: { ...SHAPE, capacity: "u32" },
    workgroup: threads,
    declarations: `
var<workgroup> qs: array<f32, ${columns * width}>;
var<workgroup> dzs: array<f32, ${columns * width}>;
/** [query][key] of the tile. */
var<workgroup> slopes: array<f32, ${columns * rows}>;
var<workgroup> weights: array<f32, ${columns * rows}>;`,
    body: `${WHERE(tile)}
  let past = p.keys - p.queries;
  let offset = head * ${dHead}u;
  let dModel = p.heads * ${dHead}u;
  let baseQ = sequence * p.sequenceQ + offset;
  let baseZ = sequence * p.queries * dModel + offset;
  let patterns = (sequence * p.heads + head) * p.queries;
  // Only queries at or after a key look at it.
  let beginQ = select(0u, row0 - past, row0 > past) / ${columns}u * ${columns}u;
  ${each(Math.ceil(dHead / lanes), (c) => `var dk${c} = 0.0;\n      var dv${c} = 0.0;`)}
  for (var q0 = beginQ; q0 < p.queries; q0 += ${columns}u) {
    ${fetchRows("qs", "q", columns, { ...queriesAt, base: "baseQ", stride: "p.rowQ" }, dHead, tile)}
    ${fetchRows("dzs", "dz", columns, { ...queriesAt, base: "baseZ", stride: "dModel" }, dHead, tile)}
    for (var t = tid; t < ${columns * rows}u; t += ${threads}u) {
      let query = q0 + t / ${rows}u;
      let key = row0 + t % ${rows}u;
      var slope = 0.0;
      var weight = 0.0;
      if (query < p.queries && key < p.keys && key <= query + past) {
        let at = (patterns + query) * p.keys + key;
        slope = dScores[at];
        weight = pattern[at];
      }
      slopes[t] = slope;
      weights[t] = weight;
    }
    workgroupBarrier();
    for (var i = 0u; i < ${columns}u; i++) {
      let slope = slopes[i * ${rows}u + own];
      let weight = weights[i * ${rows}u + own];
      ${ownColumns(
        tile,
        dHead,
        (c, column) =>
          `dk${c} += slope * qs[i * ${width}u + ${column}]; dv${c} += weight * dzs[i * ${width}u + ${column}];`,
      )}
    }
    workgroupBarrier();
  }
  if (row >= p.capacity) { return; }
  let dkRow = sequence * p.sequenceK + row * p.rowK + offset;
  ${ownColumns(
    tile,
    dHead,
    (c, column) =>
      `${dk}[dkRow + p.beginK + ${column}] = dk${c}; ${dv}[dkRow + p.beginV + ${column}] = dv${c};`,
  )}`,
  };
}
