import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import { input, number, registerFused, sizeOf } from "../kernel.js";
import type { Simd } from "../simd/module.js";

export function registerLayerNorm(simd: Simd | null): void {
  registerFused(FUSED.layerNorm, (inputs, attributes, heap) => {
    const all = ["x", "weight", "bias"].map((name) => input(inputs, name)) as Infos;
    const [x, weight] = all;
    const out = heap.allocate(x.shape);
    const epsilon = number(attributes, "epsilon");
    if (simd) {
      const [from, scale, shift] = all.map((info) => heap.address(info)) as Addresses;
      const width = sizeOf(weight);
      simd.layerNorm(from, scale, shift, heap.address(out), sizeOf(x) / width, width, epsilon);
    } else {
      const [from, scale, shift] = all.map((info) => heap.floats(info)) as Views;
      normalise(from, scale, shift, heap.floats(out), epsilon);
    }
    return out;
  });
  registerFused(FUSED.layerNormGrad, (inputs, attributes, heap) => {
    const all = ["x", "weight", "dy"].map((name) => input(inputs, name)) as Infos;
    const [x, weight] = all;
    const outputs = [x, weight, weight].map(({ shape }) => heap.allocate(shape)) as Infos;
    const epsilon = number(attributes, "epsilon");
    // The gradients of weight and bias are sums over the rows.
    for (const info of outputs.slice(1)) heap.floats(info).fill(0);
    if (simd) {
      const width = sizeOf(weight);
      const from = all.map((info) => heap.address(info)) as Addresses;
      const to = outputs.map((info) => heap.address(info)) as Addresses;
      simd.layerNormGrad(...from, ...to, sizeOf(x) / width, width, epsilon);
    } else {
      const from = all.map((info) => heap.floats(info)) as Views;
      const to = outputs.map((info) => heap.floats(info)) as Views;
      gradient(...from, ...to, epsilon);
    }
    return outputs;
  });
}

type Infos = [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
type Addresses = [number, number, number];
type Views = [Float32Array, Float32Array, Float32Array];

function normalise(
  x: Float32Array,
  weight: Float32Array,
  bias: Float32Array,
  y: Float32Array,
  epsilon: number,
): void {
  const width = weight.length;
  for (let row = 0; row < x.length; row += width) {
    const mean = meanOf(x, row, width);
    const inverse = inverseScale(x, row, width, mean, epsilon);
    for (let i = 0; i < width; i++) y[row + i] = (x[row + i]! - mean) * inverse * weight[i]! + bias[i]!;
  }
}

function meanOf(x: Float32Array, row: number, width: number): number {
  let sum = 0;
  for (let i = row; i < row + width; i++) sum += x[i]!;
  return sum / width;
}

function inverseScale(x: Float32Array, row: number, width: number, mean: number, epsilon: number): number {
  let squares = 0;
  for (let i = row; i < row + width; i++) {
    const centred = x[i]! - mean;
    squares += centred * centred;
  }
  return 1 / Math.sqrt(squares / width + epsilon);
}

function gradient(
  x: Float32Array,
  weight: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  dWeight: Float32Array,
  dBias: Float32Array,
  epsilon: number,
): void {
  const width = weight.length;
  for (let row = 0; row < x.length; row += width) {
    const mean = meanOf(x, row, width);
    const inverse = inverseScale(x, row, width, mean, epsilon);
    let sum = 0;
    let dot = 0;
    for (let i = 0; i < width; i++) {
      const slope = dy[row + i]!;
      const normalized = (x[row + i]! - mean) * inverse;
      dWeight[i] = dWeight[i]! + slope * normalized;
      dBias[i] = dBias[i]! + slope;
      sum += slope * weight[i]!;
      dot += slope * weight[i]! * normalized;
    }
    sum /= width;
    dot /= width;
    for (let i = 0; i < width; i++) {
      const normalized = (x[row + i]! - mean) * inverse;
      dx[row + i] = (dy[row + i]! * weight[i]! - sum - normalized * dot) * inverse;
    }
  }
}
