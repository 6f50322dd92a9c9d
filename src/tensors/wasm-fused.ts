import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { FUSED } from "./ops";

/*
 * Fused kernels of the wasm backend: plain loops over views of its heap. A compiled JavaScript loop makes one pass where
 * the composition makes eight, and needs no kernel that the shipped module lacks.
 */

type Inputs = Record<string, tf.TensorInfo>;
type Body = (
  inputs: Inputs,
  attrs: Record<string, number>,
  backend: BackendWasm,
) => tf.TensorInfo | tf.TensorInfo[];

export function registerFusedKernels(): void {
  register(FUSED.layerNorm, layerNorm);
  register(FUSED.layerNormGrad, layerNormGrad);
  register(FUSED.geluGrad, geluGrad);
  register(FUSED.pickAt, pickAt);
  register(FUSED.subtractAt, subtractAt);
  register(FUSED.gatherRows, gatherRows);
  register(FUSED.scatterAdd, scatterAdd);
  register(FUSED.splitHeads, splitHeads);
  register(FUSED.joinHeads, joinHeads);
  register(FUSED.softmaxGrad, softmaxGrad);
}

function register(kernelName: string, body: Body): void {
  const kernelFunc = ({ inputs, attrs, backend }: { inputs: object; attrs?: object; backend: object }) =>
    body(inputs as Inputs, (attrs ?? {}) as Record<string, number>, backend as BackendWasm);
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: kernelFunc });
}

function take(inputs: Inputs, name: string): tf.TensorInfo {
  const info = inputs[name];
  if (!info) throw new Error(`fused kernel: missing input ${name}`);
  return info;
}

/** Views are taken only once every output exists: allocating may move the heap. */
function floats(backend: BackendWasm, info: tf.TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(info) as Float32Array;
}

function layerNorm(
  inputs: Inputs,
  { epsilon = 0 }: Record<string, number>,
  backend: BackendWasm,
): tf.TensorInfo {
  const x = take(inputs, "x");
  const out = backend.makeOutput(x.shape, "float32");
  const [input, w, b, y] = [x, take(inputs, "weight"), take(inputs, "bias"), out].map((i) =>
    floats(backend, i),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const width = w.length;
  for (let row = 0; row < input.length; row += width) {
    const { mean, inverse } = moments(input, row, width, epsilon);
    for (let i = 0; i < width; i++) y[row + i] = (input[row + i]! - mean) * inverse * w[i]! + b[i]!;
  }
  return out;
}

function moments(
  x: Float32Array,
  row: number,
  width: number,
  epsilon: number,
): { mean: number; inverse: number } {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += x[row + i]!;
  const mean = sum / width;
  let squares = 0;
  for (let i = 0; i < width; i++) {
    const centred = x[row + i]! - mean;
    squares += centred * centred;
  }
  return { mean, inverse: 1 / Math.sqrt(squares / width + epsilon) };
}

function layerNormGrad(
  inputs: Inputs,
  { epsilon = 0 }: Record<string, number>,
  backend: BackendWasm,
): tf.TensorInfo[] {
  const x = take(inputs, "x");
  const weight = take(inputs, "weight");
  const outputs = [
    backend.makeOutput(x.shape, "float32"),
    ...[0, 1].map(() => backend.makeOutput(weight.shape, "float32")),
  ];
  const [input, w, dy, dx, dw, db] = [x, weight, take(inputs, "dy"), ...outputs].map((i) =>
    floats(backend, i),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const width = w.length;
  dw.fill(0);
  db.fill(0);
  for (let row = 0; row < input.length; row += width) {
    const { mean, inverse } = moments(input, row, width, epsilon);
    let sum = 0;
    let dot = 0;
    for (let i = 0; i < width; i++) {
      const slope = dy[row + i]!;
      const normalized = (input[row + i]! - mean) * inverse;
      dw[i] = dw[i]! + slope * normalized;
      db[i] = db[i]! + slope;
      sum += slope * w[i]!;
      dot += slope * w[i]! * normalized;
    }
    sum /= width;
    dot /= width;
    for (let i = 0; i < width; i++) {
      const normalized = (input[row + i]! - mean) * inverse;
      dx[row + i] = (dy[row + i]! * w[i]! - sum - normalized * dot) * inverse;
    }
  }
  return outputs;
}

function geluGrad(inputs: Inputs, _: Record<string, number>, backend: BackendWasm): tf.TensorInfo {
  const x = take(inputs, "x");
  const out = backend.makeOutput(x.shape, "float32");
  const [input, gate, dy, dx] = [x, take(inputs, "gate"), take(inputs, "dy"), out].map((i) =>
    floats(backend, i),
  ) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const linearPart = 2 * Math.sqrt(2 / Math.PI);
  const cubicPart = 3 * 0.044715 * linearPart;
  for (let i = 0; i < input.length; i++) {
    const v = input[i]!;
    const g = gate[i]!;
    dx[i] = dy[i]! * (g + v * g * (1 - g) * (linearPart + cubicPart * v * v));
  }
  return out;
}

/**
 * −log p(target) per row, from logits and their softmax: the largest probability is far from zero, so the logarithm of
 * the normaliser is `max − log p_max`, without another exponential.
 */
function pickAt(inputs: Inputs, _: Record<string, number>, backend: BackendWasm): tf.TensorInfo {
  const logits = take(inputs, "logits");
  const [rows, width] = logits.shape as [number, number];
  const out = backend.makeOutput([rows], "float32");
  const values = floats(backend, logits);
  const probabilities = floats(backend, take(inputs, "probabilities"));
  const targets = backend.typedArrayFromHeap(take(inputs, "targets"));
  const losses = floats(backend, out);
  for (let row = 0; row < rows; row++) {
    const start = row * width;
    let best = start;
    for (let i = start + 1; i < start + width; i++) if (values[i]! > values[best]!) best = i;
    losses[row] = values[best]! - Math.log(probabilities[best]!) - values[start + targets[row]!]!;
  }
  return out;
}

function subtractAt(inputs: Inputs, _: Record<string, number>, backend: BackendWasm): tf.TensorInfo {
  const probabilities = take(inputs, "probabilities");
  const [rows, width] = probabilities.shape as [number, number];
  const out = backend.makeOutput(probabilities.shape, "float32");
  const p = floats(backend, probabilities);
  const targets = backend.typedArrayFromHeap(take(inputs, "targets"));
  const dy = floats(backend, take(inputs, "dy"));
  const slope = floats(backend, out);
  for (let row = 0; row < rows; row++) {
    const weight = dy[row]!;
    const start = row * width;
    for (let i = start; i < start + width; i++) slope[i] = p[i]! * weight;
    slope[start + targets[row]!]! -= weight;
  }
  return out;
}

function gatherRows(inputs: Inputs, _: Record<string, number>, backend: BackendWasm): tf.TensorInfo {
  const table = take(inputs, "table");
  const indices = take(inputs, "ids");
  const width = table.shape[1] ?? 1;
  const out = backend.makeOutput([indices.shape[0] ?? 0, width], "float32");
  const source = floats(backend, table);
  const target = floats(backend, out);
  const ids = backend.typedArrayFromHeap(indices);
  for (let n = 0; n < ids.length; n++)
    target.set(source.subarray(ids[n]! * width, (ids[n]! + 1) * width), n * width);
  return out;
}

function scatterAdd(
  inputs: Inputs,
  { length = 0 }: Record<string, number>,
  backend: BackendWasm,
): tf.TensorInfo {
  const rows = take(inputs, "rows");
  const width = rows.shape[1] ?? 1;
  const out = backend.makeOutput([length, width], "float32");
  const source = floats(backend, rows);
  const ids = backend.typedArrayFromHeap(take(inputs, "ids"));
  const sums = floats(backend, out);
  sums.fill(0);
  for (let n = 0; n < ids.length; n++) {
    const from = n * width;
    const to = ids[n]! * width;
    for (let i = 0; i < width; i++) sums[to + i] = sums[to + i]! + source[from + i]!;
  }
  return out;
}

/** Calls `copy(offset in [batch·position, 3·dModel], part, offset in [batch, head, position, dHead])` for every head. */
function forEachHead(
  [batch, heads, positions, dHead]: [number, number, number, number],
  copy: (joined: number, part: number, split: number) => void,
): void {
  let joined = 0;
  for (let b = 0; b < batch; b++) {
    for (let position = 0; position < positions; position++) {
      for (let part = 0; part < 3; part++) {
        for (let head = 0; head < heads; head++) {
          copy(joined, part, ((b * heads + head) * positions + position) * dHead);
          joined += dHead;
        }
      }
    }
  }
}

function splitHeads(inputs: Inputs, attrs: Record<string, number>, backend: BackendWasm): tf.TensorInfo[] {
  const qkv = take(inputs, "qkv");
  const [rows, width] = qkv.shape as [number, number];
  const { batch = 1, heads = 1 } = attrs;
  const shape: [number, number, number, number] = [batch, heads, rows / batch, width / 3 / heads];
  const outputs = [0, 1, 2].map(() => backend.makeOutput(shape, "float32"));
  const source = floats(backend, qkv);
  const targets = outputs.map((output) => floats(backend, output));
  const dHead = shape[3];
  forEachHead(shape, (joined, part, split) => {
    const target = targets[part]!;
    for (let i = 0; i < dHead; i++) target[split + i] = source[joined + i]!;
  });
  return outputs;
}

function joinHeads(inputs: Inputs, _: Record<string, number>, backend: BackendWasm): tf.TensorInfo {
  const parts = ["q", "k", "v"].map((name) => take(inputs, name));
  const shape = take(inputs, "q").shape as [number, number, number, number];
  const [batch, heads, positions, dHead] = shape;
  const out = backend.makeOutput([batch * positions, 3 * heads * dHead], "float32");
  const sources = parts.map((part) => floats(backend, part));
  const target = floats(backend, out);
  forEachHead(shape, (joined, part, split) => {
    const source = sources[part]!;
    for (let i = 0; i < dHead; i++) target[joined + i] = source[split + i]!;
  });
  return out;
}

function softmaxGrad(
  inputs: Inputs,
  { scale = 1 }: Record<string, number>,
  backend: BackendWasm,
): tf.TensorInfo {
  const pattern = take(inputs, "pattern");
  const out = backend.makeOutput(pattern.shape, "float32");
  const p = floats(backend, pattern);
  const dy = floats(backend, take(inputs, "dy"));
  const dx = floats(backend, out);
  const keys = pattern.shape[pattern.shape.length - 1] ?? 1;
  for (let row = 0; row < p.length; row += keys) {
    let dot = 0;
    for (let i = row; i < row + keys; i++) dot += dy[i]! * p[i]!;
    for (let i = row; i < row + keys; i++) dx[i] = (dy[i]! - dot) * p[i]! * scale;
  }
  return out;
}
