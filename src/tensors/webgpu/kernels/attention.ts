import { FUSED } from "../../ops/fused.js";
import { programOf, run, type Program } from "../run.js";
import { SHAPE, WHERE, attentionCall, fetchRows, patternTile, type PatternTile } from "./attention-shape.js";
import { define, floatOutput } from "./define.js";

/*
 * Causal attention in one kernel. A workgroup has some queries of a head and goes over their keys tile by tile; it keeps
 * for each query the largest score so far, the sum of exponentials relative to it and the weighted sum of values, so that
 * no pattern is written unless one is asked for.
 */

/** The score of what is hidden: below any other, and finite. */
const HIDDEN = "-1e30";

export function registerAttention(): void {
  define(FUSED.attention, (call) => {
    const { backend, attrs } = call;
    const { q, k, v, pads, batch, heads, queries, keys, dHead, parameters } = attentionCall(call);
    const keepPattern = attrs["keepPattern"] === true;
    const z = floatOutput(backend, [batch * queries, heads * dHead]);
    const outputs = keepPattern ? [z, floatOutput(backend, [batch, heads, queries, keys])] : [z];
    if (batch * queries === 0) return outputs;
    const tile = patternTile(backend, queries, (t) => floatsOf(t, dHead));
    const key = `attention ${dHead} ${Object.values(tile).join("x")}${keepPattern ? " pattern" : ""}`;
    run(
      backend,
      programOf(key, () => attentionProgram(tile, dHead, keepPattern)),
      [q, k, v, pads, ...outputs],
      { ...parameters, scale: 1 / Math.sqrt(dHead) },
      [Math.ceil(queries / tile.rows), heads, batch],
    );
    return outputs;
  });
}

function floatsOf({ rows, lanes, columns }: PatternTile, dHead: number): number {
  return (rows + columns) * (dHead | 1) + rows * columns + rows * lanes;
}

function attentionProgram(tile: PatternTile, dHead: number, keepPattern: boolean): Omit<Program, "key"> {
  const { rows, lanes, columns } = tile;
  const width = dHead | 1;
  const ownKeys = Math.ceil(columns / lanes);
  const ownColumns = Math.ceil(dHead / lanes);
  const each = (count: number, make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join("\n      ");
  /** Runs code for an index that a lane has only if there are as many. */
  const within = (index: string, size: number, count: number, code: string): string =>
    count * lanes === size ? code : `if (${index} < ${size}u) { ${code} }`;
  const keysAt = { first: "k0", end: "p.keys", stride: "p.rowK" };
  return {
    bindings: [
      { name: "q" },
      { name: "k" },
      { name: "v" },
      { name: "pads", type: "i32" },
      { name: "z", write: true },
      ...(keepPattern ? [{ name: "pattern", write: true }] : []),
    ],
    parameters: { ...SHAPE, scale: "f32" },
    workgroup: rows * lanes,
    declarations: `
var<workgroup> qs: array<f32, ${rows * width}>;
/** Keys, then values: never both at once. */
var<workgroup> kvs: array<f32, ${columns * width}>;
var<workgroup> weights: array<f32, ${rows * columns}>;
var<workgroup> largests: array<f32, ${rows * lanes}>;`,
    body: `${WHERE(tile)}
  let pad = u32(max(pads[sequence], 0));
  let past = p.keys - p.queries;
  let offset = head * ${dHead}u;
  let baseQ = sequence * p.sequenceQ + offset;
  let baseK = sequence * p.sequenceK + offset + p.beginK;
  let baseV = sequence * p.sequenceK + offset + p.beginV;
  // This query looks at the keys from pad to its own position; the workgroup at those up to its last query's.
  let last = row + past;
  let end = min(p.keys, row0 + ${rows}u + past);
  let begin = (pad / ${columns}u) * ${columns}u;
  let patternRow = ((sequence * p.heads + head) * p.queries + row) * p.keys;
  ${fetchRows("qs", "q", rows, { first: "row0", end: "p.queries", base: "baseQ", stride: "p.rowQ" }, dHead, tile)}
  var largest = ${HIDDEN};
  var sum = 0.0;
  ${each(ownColumns, (c) => `var z${c} = 0.0;`)}
  for (var k0 = begin; k0 < end; k0 += ${columns}u) {
    ${fetchRows("kvs", "k", columns, { ...keysAt, base: "baseK" }, dHead, tile)}
    workgroupBarrier();
    ${each(ownKeys, (i) => `var s${i} = 0.0;`)}
    for (var d = 0u; d < ${dHead}u; d++) {
      let x = qs[own * ${width}u + d];
      ${each(ownKeys, (i) => `s${i} += x * kvs[min(lane + ${i * lanes}u, ${columns - 1}u) * ${width}u + d];`)}
    }
    var largestOwn = ${HIDDEN};
    ${each(ownKeys, (i) => {
      const key = `k0 + lane + ${i * lanes}u`;
      return `let visible${i} = lane + ${i * lanes}u < ${columns}u && ${key} >= pad && ${key} <= last && ${key} < p.keys;
      s${i} = select(${HIDDEN}, s${i} * p.scale, visible${i});
      largestOwn = max(largestOwn, s${i});
      ${keepPattern ? `if (visible${i} && row < p.queries) { pattern[patternRow + ${key}] = s${i}; }` : ""}`;
    })}
    largests[tid] = largestOwn;
    workgroupBarrier();
    var now = largest;
    for (var l = 0u; l < ${lanes}u; l++) { now = max(now, largests[own * ${lanes}u + l]); }
    let fade = exp(largest - now);
    largest = now;
    ${each(ownKeys, (i) =>
      within(
        `lane + ${i * lanes}u`,
        columns,
        ownKeys,
        `weights[own * ${columns}u + lane + ${i * lanes}u] = select(0.0, exp(s${i} - now), visible${i});`,
      ),
    )}
    ${fetchRows("kvs", "v", columns, { ...keysAt, base: "baseV" }, dHead, tile)}
    workgroupBarrier();
    sum *= fade;
    ${each(ownColumns, (c) => `z${c} *= fade;`)}
    for (var j = 0u; j < ${columns}u; j++) {
      let weight = weights[own * ${columns}u + j];
      sum += weight;
      ${each(ownColumns, (c) => `z${c} += weight * kvs[j * ${width}u + min(lane + ${c * lanes}u, ${dHead - 1}u)];`)}
    }
    workgroupBarrier();
  }
  if (row >= p.queries) { return; }
  // A query that may look at nothing has no sum.
  let inverse = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
  let zRow = (sequence * p.queries + row) * p.heads * ${dHead}u + offset;
  ${each(ownColumns, (c) =>
    within(`lane + ${c * lanes}u`, dHead, ownColumns, `z[zRow + lane + ${c * lanes}u] = z${c} * inverse;`),
  )}
  ${
    keepPattern
      ? // Tiles begin at multiples of their width, so each invocation finds the scores that it wrote itself.
        `for (var k0 = 0u; k0 < p.keys; k0 += ${columns}u) {
    for (var j = lane; j < ${columns}u && k0 + j < p.keys; j += ${lanes}u) {
      let key = k0 + j;
      var weight = 0.0;
      if (key >= pad && key <= last) { weight = exp(pattern[patternRow + key] - largest) * inverse; }
      pattern[patternRow + key] = weight;
    }
  }`
      : ""
  }`,
  };
}
