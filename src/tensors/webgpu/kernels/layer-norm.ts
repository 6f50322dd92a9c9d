import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { DeviceBackend } from "../device.js";
import { programOf, run, spread } from "../run.js";
import { define, floatOutput, numberOf, take } from "./define.js";
import { WORKGROUP_SUM } from "./reduce.js";

/*
 * Layer normalisation: one workgroup per row, which reads the row three times, from the cache after the first.
 */

const WORKGROUP = 128;
/** Rows that one invocation adds up for the gradients of weight and bias. */
const ROWS_PER_PART = 32;
const COLUMNS = 64;

/** Mean and 1/√(variance + ε) of a row, the variance from centred values as the composition has it. */
const MOMENTS = `
  let row = group.y * groups.x + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.width;
  var partial = 0.0;
  for (var i = tid; i < p.width; i += ${WORKGROUP}u) { partial += x[start + i]; }
  let mean = workgroupSum(tid, partial) / f32(p.width);
  partial = 0.0;
  for (var i = tid; i < p.width; i += ${WORKGROUP}u) {
    let centred = x[start + i] - mean;
    partial += centred * centred;
  }
  let inverse = 1.0 / sqrt(workgroupSum(tid, partial) / f32(p.width) + p.epsilon);`;

export function registerLayerNorm(): void {
  define(FUSED.layerNorm, ({ inputs, attrs, backend }) => {
    const x = take(inputs, "x");
    const [rows, width] = x.shape as [number, number];
    const out = floatOutput(backend, x.shape);
    if (rows * width === 0) return out;
    const program = programOf("layerNorm", () => ({
      bindings: [{ name: "x" }, { name: "weight" }, { name: "bias" }, { name: "out", write: true }],
      parameters: { rows: "u32", width: "u32", epsilon: "f32" },
      workgroup: WORKGROUP,
      declarations: WORKGROUP_SUM(WORKGROUP),
      body: `${MOMENTS}
  for (var i = tid; i < p.width; i += ${WORKGROUP}u) {
    out[start + i] = (x[start + i] - mean) * inverse * weight[i] + bias[i];
  }`,
    }));
    const tensors = [x, take(inputs, "weight"), take(inputs, "bias"), out];
    run(
      backend,
      program,
      tensors,
      { rows, width, epsilon: numberOf(attrs, "epsilon") },
      spread(backend, rows),
    );
    return out;
  });

  define(FUSED.layerNormGrad, ({ inputs, attrs, backend }) => {
    const [x, weight, dy] = [take(inputs, "x"), take(inputs, "weight"), take(inputs, "dy")];
    const [rows, width] = x.shape as [number, number];
    const dx = floatOutput(backend, x.shape);
    const moments = floatOutput(backend, [rows, 2]);
    const program = programOf("layerNormGrad", () => ({
      bindings: [
        { name: "x" },
        { name: "weight" },
        { name: "dy" },
        { name: "dx", write: true },
        { name: "moments", write: true },
      ],
      parameters: { rows: "u32", width: "u32", epsilon: "f32" },
      workgroup: WORKGROUP,
      declarations: WORKGROUP_SUM(WORKGROUP),
      body: `${MOMENTS}
  if (tid == 0u) {
    moments[2u * row] = mean;
    moments[2u * row + 1u] = inverse;
  }
  var sum = 0.0;
  var dot = 0.0;
  for (var i = tid; i < p.width; i += ${WORKGROUP}u) {
    let slope = dy[start + i] * weight[i];
    sum += slope;
    dot += slope * (x[start + i] - mean) * inverse;
  }
  sum = workgroupSum(tid, sum) / f32(p.width);
  dot = workgroupSum(tid, dot) / f32(p.width);
  for (var i = tid; i < p.width; i += ${WORKGROUP}u) {
    let normalized = (x[start + i] - mean) * inverse;
    dx[start + i] = (dy[start + i] * weight[i] - sum - normalized * dot) * inverse;
  }`,
    }));
    const parameters = { rows, width, epsilon: numberOf(attrs, "epsilon") };
    run(backend, program, [x, weight, dy, dx, moments], parameters, spread(backend, rows));
    const sums = parameterGradients(backend, x, dy, moments);
    backend.disposeData(moments.dataId);
    return [dx, ...sums];
  });
}

/** The gradients of weight and bias, sums over rows: parts of 32 rows, then the parts in their order. */
function parameterGradients(
  backend: DeviceBackend,
  x: TensorInfo,
  dy: TensorInfo,
  moments: TensorInfo,
): TensorInfo[] {
  const [rows, width] = x.shape as [number, number];
  const parts = Math.ceil(rows / ROWS_PER_PART);
  const blocks = Math.ceil(width / COLUMNS);
  const partial = floatOutput(backend, [parts, 2, width]);
  const parameters = { rows, width, parts, blocks };
  const types = { rows: "u32", width: "u32", parts: "u32", blocks: "u32" } as const;
  const inParts = programOf("layerNormGrad: parts", () => ({
    bindings: [{ name: "x" }, { name: "dy" }, { name: "moments" }, { name: "partial", write: true }],
    parameters: types,
    workgroup: COLUMNS,
    body: `
  let block = group.y * groups.x + group.x;
  let part = block / p.blocks;
  let column = (block % p.blocks) * ${COLUMNS}u + tid;
  if (part >= p.parts || column >= p.width) { return; }
  var dWeight = 0.0;
  var dBias = 0.0;
  for (var row = part * ${ROWS_PER_PART}u; row < min(p.rows, (part + 1u) * ${ROWS_PER_PART}u); row++) {
    let slope = dy[row * p.width + column];
    dWeight += slope * (x[row * p.width + column] - moments[2u * row]) * moments[2u * row + 1u];
    dBias += slope;
  }
  partial[2u * part * p.width + column] = dWeight;
  partial[(2u * part + 1u) * p.width + column] = dBias;`,
  }));
  run(backend, inParts, [x, dy, moments, partial], parameters, spread(backend, parts * blocks));
  const sums = [floatOutput(backend, [width]), floatOutput(backend, [width])];
  const together = programOf("layerNormGrad: sums", () => ({
    bindings: [{ name: "partial" }, { name: "dWeight", write: true }, { name: "dBias", write: true }],
    parameters: types,
    workgroup: COLUMNS,
    body: `
  let column = group.x * ${COLUMNS}u + tid;
  if (column >= p.width) { return; }
  var weightSum = 0.0;
  var biasSum = 0.0;
  for (var part = 0u; part < p.parts; part++) {
    weightSum += partial[2u * part * p.width + column];
    biasSum += partial[(2u * part + 1u) * p.width + column];
  }
  dWeight[column] = weightSum;
  dBias[column] = biasSum;`,
  }));
  run(backend, together, [partial, ...sums], parameters, [blocks, 1, 1]);
  backend.disposeData(partial.dataId);
  return sums;
}
