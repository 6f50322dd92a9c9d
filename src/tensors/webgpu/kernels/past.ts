import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { DeviceBackend } from "../device.js";
import { programOf, run, type Program } from "../run.js";
import { define, floatOutput, numberOf, take, type Call } from "./define.js";
import { WORKGROUP_SUM } from "./reduce.js";

/*
 * One new token per row over a past that moves along its gradient (ops/attend-past.ts). A workgroup has one head of one row;
 * of the step, some positions of one row, whose norm it computes for itself: it is a few hundred products.
 */

const WORKGROUP = 64;
const STEP_WORKGROUP = 256;
/** Elements of keys and of values that a workgroup of the step moves. */
const STEP_PART = 8192;

/** Keeps a norm from being zero, as PPLM has it. */
const SMALL = 1e-15;

export function registerPast(): void {
  define(FUSED.attendPast, (call) => {
    const { backend, inputs } = call;
    const shape = shapeOf(call);
    const { batch, heads, keys, dHead } = shape;
    const z = floatOutput(backend, [batch, heads * dHead]);
    const pattern = floatOutput(backend, [batch, heads, keys]);
    if (batch === 0) return [z, pattern];
    const tensors = [...["qkv", "keys", "values", "pads"].map((name) => take(inputs, name)), z, pattern];
    dispatch(backend, `attendPast ${dHead}`, () => attendProgram(dHead), tensors, shape);
    return [z, pattern];
  });

  define(FUSED.attendPastGrad, (call) => {
    const { backend, inputs } = call;
    const shape = shapeOf(call);
    const { batch, heads, keys, dHead } = shape;
    const dQkv = floatOutput(backend, [batch, 3 * heads * dHead]);
    const factors = floatOutput(backend, [batch, heads, 2 * (keys + dHead)]);
    if (batch === 0) return [dQkv, factors];
    const given = ["qkv", "keys", "values", "pattern", "dz"].map((name) => take(inputs, name));
    dispatch(
      backend,
      `attendPastGrad ${dHead}`,
      () => gradientProgram(dHead),
      [...given, dQkv, factors],
      shape,
    );
    return [dQkv, factors];
  });

  define(FUSED.stepPast, (call) => {
    const { backend, inputs, attrs } = call;
    const shape = shapeOf(call);
    const { batch, heads, keys, dHead, capacity } = shape;
    const norms = floatOutput(backend, [batch]);
    if (batch === 0) return norms;
    const given = ["keys", "values", "factors", "mask"].map((name) => take(inputs, name));
    run(
      backend,
      programOf("stepPast", stepProgram),
      [...given, norms],
      { heads, keys, dHead, capacity, size: numberOf(attrs, "size"), gamma: numberOf(attrs, "gamma") },
      [batch, Math.max(1, Math.ceil(((keys - 1) * heads * dHead) / STEP_PART)), 1],
    );
    return norms;
  });
}

interface Shape {
  batch: number;
  heads: number;
  /** The token's own among them. */
  keys: number;
  dHead: number;
  capacity: number;
}

function shapeOf({ inputs, attrs }: Call): Shape {
  const [batch, capacity, dModel] = take(inputs, "keys").shape as [number, number, number];
  const heads = numberOf(attrs, "heads");
  const keys = numberOf(attrs, "at") + 1;
  if (keys > capacity) throw new Error(`attendPast: position ${keys - 1} of a cache of ${capacity}`);
  return { batch, heads, keys, dHead: dModel / heads, capacity };
}

function dispatch(
  backend: DeviceBackend,
  key: string,
  make: () => Omit<Program, "key">,
  tensors: TensorInfo[],
  { batch, heads, keys, dHead, capacity }: Shape,
): void {
  const scale = 1 / Math.sqrt(dHead);
  run(backend, programOf(key, make), tensors, { heads, keys, capacity, scale }, [batch, heads, 1]);
}

const PARAMETERS = { heads: "u32", keys: "u32", capacity: "u32", scale: "f32" } as const;

/** WGSL that says which row and head a workgroup has, and where their numbers lie. */
const WHERE = (dHead: number): string => `
  let row = group.x;
  let head = group.y;
  let dModel = p.heads * ${dHead}u;
  let own = p.keys - 1u;
  let qAt = row * 3u * dModel + head * ${dHead}u;
  let zAt = row * dModel + head * ${dHead}u;
  let cacheAt = row * p.capacity * dModel + head * ${dHead}u;
  let patternAt = (row * p.heads + head) * p.keys;`;

/** The largest over a workgroup, as {@link WORKGROUP_SUM} is the sum. */
const WORKGROUP_MAX = `
var<workgroup> largests: array<f32, ${WORKGROUP}>;
fn workgroupMax(tid: u32, value: f32) -> f32 {
  largests[tid] = value;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (tid < half) { largests[tid] = max(largests[tid], largests[tid + half]); }
    workgroupBarrier();
  }
  let largest = largests[0];
  workgroupBarrier();
  return largest;
}`;

function attendProgram(dHead: number): Omit<Program, "key"> {
  return {
    bindings: [
      { name: "qkv" },
      { name: "keys", write: true },
      { name: "values", write: true },
      { name: "pads", type: "i32" },
      { name: "z", write: true },
      { name: "pattern", write: true },
    ],
    parameters: PARAMETERS,
    workgroup: WORKGROUP,
    declarations: `${WORKGROUP_SUM(WORKGROUP)}
${WORKGROUP_MAX}
var<workgroup> q: array<f32, ${dHead}>;`,
    body: `${WHERE(dHead)}
  let pad = u32(max(pads[row], 0));
  for (var d = tid; d < ${dHead}u; d += ${WORKGROUP}u) {
    q[d] = qkv[qAt + d];
    keys[cacheAt + own * dModel + d] = qkv[qAt + dModel + d];
    values[cacheAt + own * dModel + d] = qkv[qAt + 2u * dModel + d];
  }
  storageBarrier();
  workgroupBarrier();
  var largestOwn = -1e30;
  for (var j = tid; j < p.keys; j += ${WORKGROUP}u) {
    if (j < pad) { continue; }
    var score = 0.0;
    for (var d = 0u; d < ${dHead}u; d++) { score += q[d] * keys[cacheAt + j * dModel + d]; }
    score *= p.scale;
    pattern[patternAt + j] = score;
    largestOwn = max(largestOwn, score);
  }
  let largest = workgroupMax(tid, largestOwn);
  var sumOwn = 0.0;
  for (var j = tid; j < p.keys; j += ${WORKGROUP}u) {
    var weight = 0.0;
    if (j >= pad) { weight = exp(pattern[patternAt + j] - largest); }
    pattern[patternAt + j] = weight;
    sumOwn += weight;
  }
  let sum = workgroupSum(tid, sumOwn);
  let inverse = select(0.0, 1.0 / max(sum, 1e-30), sum > 0.0);
  for (var j = tid; j < p.keys; j += ${WORKGROUP}u) { pattern[patternAt + j] *= inverse; }
  storageBarrier();
  workgroupBarrier();
  for (var d = tid; d < ${dHead}u; d += ${WORKGROUP}u) {
    var total = 0.0;
    for (var j = min(pad, p.keys); j < p.keys; j++) {
      total += pattern[patternAt + j] * values[cacheAt + j * dModel + d];
    }
    z[zAt + d] = total;
  }`,
  };
}

function gradientProgram(dHead: number): Omit<Program, "key"> {
  return {
    bindings: [
      { name: "qkv" },
      { name: "keys" },
      { name: "values" },
      { name: "pattern" },
      { name: "dz" },
      { name: "dQkv", write: true },
      { name: "factors", write: true },
    ],
    parameters: PARAMETERS,
    workgroup: WORKGROUP,
    declarations: `${WORKGROUP_SUM(WORKGROUP)}
var<workgroup> slope: array<f32, ${dHead}>;`,
    body: `${WHERE(dHead)}
  let factorsAt = (row * p.heads + head) * 2u * (p.keys + ${dHead}u);
  for (var d = tid; d < ${dHead}u; d += ${WORKGROUP}u) {
    slope[d] = dz[zAt + d];
    factors[factorsAt + 2u * p.keys + d] = qkv[qAt + d];
    factors[factorsAt + 2u * p.keys + ${dHead}u + d] = dz[zAt + d];
  }
  workgroupBarrier();
  var dotOwn = 0.0;
  for (var j = tid; j < p.keys; j += ${WORKGROUP}u) {
    let weight = pattern[patternAt + j];
    var sum = 0.0;
    // Hidden keys have no weight, and no gradient.
    if (weight != 0.0) {
      for (var d = 0u; d < ${dHead}u; d++) { sum += slope[d] * values[cacheAt + j * dModel + d]; }
    }
    factors[factorsAt + j] = sum;
    factors[factorsAt + p.keys + j] = weight;
    dotOwn += sum * weight;
  }
  let dot = workgroupSum(tid, dotOwn);
  for (var j = tid; j < p.keys; j += ${WORKGROUP}u) {
    factors[factorsAt + j] = (factors[factorsAt + j] - dot) * pattern[patternAt + j] * p.scale;
  }
  storageBarrier();
  workgroupBarrier();
  let ownScore = factors[factorsAt + own];
  let ownWeight = pattern[patternAt + own];
  for (var d = tid; d < ${dHead}u; d += ${WORKGROUP}u) {
    var total = 0.0;
    for (var j = 0u; j < p.keys; j++) { total += factors[factorsAt + j] * keys[cacheAt + j * dModel + d]; }
    dQkv[qAt + d] = total;
    dQkv[qAt + dModel + d] = ownScore * qkv[qAt + d];
    dQkv[qAt + 2u * dModel + d] = ownWeight * slope[d];
  }`,
  };
}

function stepProgram(): Omit<Program, "key"> {
  const workgroup = STEP_WORKGROUP;
  return {
    bindings: [
      { name: "keys", write: true },
      { name: "values", write: true },
      { name: "factors" },
      { name: "mask" },
      { name: "norms", write: true },
    ],
    parameters: { heads: "u32", keys: "u32", dHead: "u32", capacity: "u32", size: "f32", gamma: "f32" },
    workgroup,
    declarations: `${WORKGROUP_SUM(workgroup)}`,
    body: `
  let row = group.x;
  let past = p.keys - 1u;
  let dModel = p.heads * p.dHead;
  let perHead = 2u * (p.keys + p.dHead);
  let factorsAt = row * p.heads * perHead;
  var squareOwn = 0.0;
  // One invocation per head and side, keys and values.
  for (var i = tid; i < 2u * p.heads; i += ${workgroup}u) {
    let weights = factorsAt + (i / 2u) * perHead + (i % 2u) * p.keys;
    let direction = factorsAt + (i / 2u) * perHead + 2u * p.keys + (i % 2u) * p.dHead;
    var left = 0.0;
    for (var j = 0u; j < past; j++) {
      let weight = factors[weights + j] * mask[row * past + j];
      left += weight * weight;
    }
    var right = 0.0;
    for (var d = 0u; d < p.dHead; d++) { right += factors[direction + d] * factors[direction + d]; }
    squareOwn += left * right;
  }
  let norm = sqrt(workgroupSum(tid, squareOwn)) + ${SMALL};
  if (group.y == 0u && tid == 0u) { norms[row] = norm; }
  let factor = -p.size / pow(norm, p.gamma);
  let end = min(past * dModel, (group.y + 1u) * ${STEP_PART}u);
  for (var i = group.y * ${STEP_PART}u + tid; i < end; i += ${workgroup}u) {
    let j = i / dModel;
    let column = i % dModel;
    let own = factorsAt + (column / p.dHead) * perHead;
    let d = column % p.dHead;
    let by = factor * mask[row * past + j];
    let at = row * p.capacity * dModel + i;
    keys[at] += by * factors[own + j] * factors[own + 2u * p.keys + d];
    values[at] += by * factors[own + p.keys + j] * factors[own + 2u * p.keys + p.dHead + d];
  }`,
  };
}
