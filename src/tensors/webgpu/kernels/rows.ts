import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { DeviceBackend } from "../device.js";
import { programOf, run, spread, type Program } from "../run.js";
import { define, floatOutput, numberOf, refine, sameData, sizeOf, take } from "./define.js";

/*
 * Rows of tables: looking them up, adding to them, appending to a cache.
 */

const WORKGROUP = 256;

/** Index of this invocation in WGSL. */
const INDEX = `let i = (group.y * groups.x + group.x) * ${WORKGROUP}u + tid;`;

/** An id outside the table is taken for its last row, as robust buffer access would. */
export function registerRows(): void {
  define(FUSED.gatherRows, ({ inputs, backend }) => {
    const [table, ids] = [take(inputs, "table"), take(inputs, "ids")];
    const [length = 0, width = 0] = table.shape;
    const n = sizeOf(ids);
    const out = floatOutput(backend, [n, width]);
    if (n * width === 0) return out;
    const program = programOf("gatherRows", () => ({
      bindings: [{ name: "table" }, { name: "ids", type: "i32" }, { name: "out", write: true }],
      parameters: { count: "u32", width: "u32", length: "u32" },
      workgroup: WORKGROUP,
      body: `
  ${INDEX}
  if (i >= p.count) { return; }
  let row = min(u32(ids[i / p.width]), p.length - 1u);
  out[i] = table[row * p.width + i % p.width];`,
    }));
    const count = n * width;
    run(
      backend,
      program,
      [table, ids, out],
      { count, width, length },
      spread(backend, Math.ceil(count / WORKGROUP)),
    );
    return out;
  });

  define(FUSED.scatterAdd, ({ inputs, attrs, backend }) => {
    const rows = take(inputs, "rows");
    return scatterAdd(backend, rows, take(inputs, "ids"), [numberOf(attrs, "length"), rows.shape[1] ?? 1]);
  });

  // The gradient of tf.gather. The shipped kernel adds atomically: other bits in every run.
  refine("ScatterNd", ({ inputs, attrs, backend }) => {
    const [indices, updates] = [take(inputs, "indices"), take(inputs, "updates")];
    const shape = attrs["shape"] as number[];
    const isRows = shape.length === 2 && updates.shape.length === 2 && indices.shape[1] === 1;
    if (!isRows || updates.dtype !== "float32" || indices.shape.length !== 2) return null;
    return scatterAdd(backend, updates, indices, shape);
  });

  define(FUSED.appendToCache, ({ inputs, attrs, backend }) => {
    const [cache, qkv] = [take(inputs, "cache"), take(inputs, "qkv")];
    const [batch, capacity, width] = cache.shape as [number, number, number];
    const queries = (qkv.shape[0] ?? 0) / batch;
    const [at, part] = [numberOf(attrs, "at"), numberOf(attrs, "part")];
    if (at + queries > capacity) {
      throw new Error(`appendToCache: ${at} + ${queries} positions do not fit a cache of ${capacity}`);
    }
    const count = batch * queries * width;
    if (count === 0) return sameData(backend, cache);
    const program = programOf("appendToCache", () => ({
      bindings: [{ name: "qkv" }, { name: "cache", write: true }],
      parameters: { count: "u32", queries: "u32", width: "u32", capacity: "u32", at: "u32", part: "u32" },
      workgroup: WORKGROUP,
      body: `
  ${INDEX}
  if (i >= p.count) { return; }
  let row = i / p.width;
  let column = i % p.width;
  let position = (row / p.queries) * p.capacity + p.at + row % p.queries;
  cache[position * p.width + column] = qkv[(row * 3u + p.part) * p.width + column];`,
    }));
    const parameters = { count, queries, width, capacity, at, part };
    run(backend, program, [qkv, cache], parameters, spread(backend, Math.ceil(count / WORKGROUP)));
    return sameData(backend, cache);
  });
}

/** The rows at `ids` of a zero tensor of `shape`, equal ids added up in their order. */
function scatterAdd(backend: DeviceBackend, rows: TensorInfo, ids: TensorInfo, shape: number[]): TensorInfo {
  const [length = 0, width = 0] = shape;
  const n = sizeOf(ids);
  const out = floatOutput(backend, shape);
  if (length * width === 0) return out;
  backend.uploadToGPU(out.dataId);
  backend.clear(out.dataId);
  if (n === 0) return out;
  const program = programOf("scatterAdd", scatterAddProgram);
  run(backend, program, [rows, ids, out], { n, width, length }, spread(backend, n));
  return out;
}

/**
 * One workgroup per row that is added. It goes on only if no earlier row has its id, and then adds all rows of that id in
 * their order: each sum is made by one workgroup, without atomic additions of floats. Equal ids are found 256 at a time.
 */
function scatterAddProgram(): Omit<Program, "key"> {
  return {
    bindings: [{ name: "rows" }, { name: "ids", type: "i32" }, { name: "out", write: true }],
    parameters: { n: "u32", width: "u32", length: "u32" },
    workgroup: WORKGROUP,
    declarations: `var<workgroup> equal: array<atomic<u32>, ${WORKGROUP / 32}>;`,
    body: `
  let own = group.y * groups.x + group.x;
  if (own >= p.n) { return; }
  let id = ids[own];
  if (id < 0 || u32(id) >= p.length) { return; }
  let into = u32(id) * p.width;
  var first = true;
  for (var start = 0u; start < p.n; start += ${WORKGROUP}u) {
    if (tid < ${WORKGROUP / 32}u) { atomicStore(&equal[tid], 0u); }
    workgroupBarrier();
    let candidate = start + tid;
    if (candidate < p.n && ids[candidate] == id) { atomicOr(&equal[tid / 32u], 1u << (tid % 32u)); }
    workgroupBarrier();
    for (var word = 0u; word < ${WORKGROUP / 32}u; word++) {
      var bits = atomicLoad(&equal[word]);
      while (bits != 0u) {
        let source = start + word * 32u + countTrailingZeros(bits);
        bits &= bits - 1u;
        if (source < own) { first = false; }
        if (first) {
          for (var column = tid; column < p.width; column += ${WORKGROUP}u) {
            let value = rows[source * p.width + column];
            if (source == own) { out[into + column] = value; } else { out[into + column] += value; }
          }
        }
      }
    }
    workgroupBarrier();
  }`,
  };
}
