import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import { input, registerFused, shippedKernel, sizeOf, type Heap } from "../kernel.js";
import type { Simd } from "../simd/module.js";

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

/** A matrix product `x·weight` of the backend, without bias. */
export type Product = (heap: Heap, x: tf.TensorInfo, weight: tf.TensorInfo) => tf.TensorInfo;

export function registerGelu(product: Product, simd: Simd | null): void {
  if (simd) registerSimd(product, simd);
  else registerLoops(product);
}

function registerSimd(product: Product, simd: Simd): void {
  registerFused(FUSED.linearGelu, (inputs, { keepPre }, heap) => {
    const bias = input(inputs, "bias");
    const pre = product(heap, input(inputs, "x"), input(inputs, "weight"));
    const post = keepPre ? heap.allocate(pre.shape) : pre;
    const width = sizeOf(bias);
    const [from, add, to] = [pre, bias, post].map((info) => heap.address(info));
    simd.biasGelu(from!, add!, to!, sizeOf(pre) / width, width);
    return keepPre ? [post, pre] : [post];
  });
  registerFused(FUSED.geluGrad, (inputs, _, heap) => {
    const pre = input(inputs, "pre");
    const out = heap.allocate(pre.shape);
    simd.geluGrad(heap.address(pre), heap.address(input(inputs, "dy")), heap.address(out), sizeOf(pre));
    return out;
  });
}

function registerLoops(product: Product): void {
  const sigmoid = shippedKernel("Sigmoid");
  registerFused(FUSED.linearGelu, (inputs, { keepPre }, heap) => {
    const pre = product(heap, input(inputs, "x"), input(inputs, "weight"));
    const exponent = heap.allocate(pre.shape);
    addBias(heap.floats(pre), heap.floats(input(inputs, "bias")), heap.floats(exponent));
    // The backend's own logistic function computes four at a time, which JavaScript cannot.
    const post = sigmoid({ inputs: { x: exponent }, backend: heap.backend }) as tf.TensorInfo;
    heap.free(exponent);
    multiplyInto(heap.floats(post), heap.floats(pre));
    if (keepPre) return [post, pre];
    heap.free(pre);
    return [post];
  });
  registerFused(FUSED.geluGrad, (inputs, _, heap) => {
    const pre = input(inputs, "pre");
    const out = heap.allocate(pre.shape);
    const [before, after, dy] = ["pre", "post", "dy"].map((name) => heap.floats(input(inputs, name)));
    gradient(before!, after!, dy!, heap.floats(out));
    return out;
  });
}

/** Adds the bias to every row of x, and computes the u of GELU(x) = x·σ(u). */
function addBias(x: Float32Array, bias: Float32Array, u: Float32Array): void {
  const width = bias.length;
  for (let row = 0; row < x.length; row += width) {
    for (let i = 0; i < width; i++) {
      const value = x[row + i]! + bias[i]!;
      x[row + i] = value;
      u[row + i] = value * (LINEAR + CUBIC * value * value);
    }
  }
}

function multiplyInto(target: Float32Array, factor: Float32Array): void {
  for (let i = 0; i < target.length; i++) target[i] = target[i]! * factor[i]!;
}

/** With post = pre·g, the gate g need not be computed again, but where pre is too close to zero to divide by. */
function gradient(pre: Float32Array, post: Float32Array, dy: Float32Array, dx: Float32Array): void {
  for (let i = 0; i < pre.length; i++) {
    const x = pre[i]!;
    const y = post[i]!;
    const g = x > -1e-3 && x < 1e-3 ? 0.5 + 0.25 * LINEAR * x : y / x;
    dx[i] = dy[i]! * (g + y * (1 - g) * (LINEAR + 3 * CUBIC * x * x));
  }
}
