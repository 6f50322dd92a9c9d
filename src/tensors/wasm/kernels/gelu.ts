import type * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused";
import { expOfNegative } from "../exponential";
import { input, registerFused, type Heap } from "../kernel";

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

/** A matrix product `x·weight` of the backend, without bias. */
export type Product = (heap: Heap, x: tf.TensorInfo, weight: tf.TensorInfo) => tf.TensorInfo;

export function registerGelu(product: Product): void {
  registerFused(FUSED.linearGelu, (inputs, { keepPre }, heap) => {
    const pre = product(heap, input(inputs, "x"), input(inputs, "weight"));
    const post = keepPre ? heap.allocate(pre.shape) : heap.share(pre);
    addBiasAndActivate(
      heap.floats(pre),
      heap.floats(input(inputs, "bias")),
      heap.floats(post),
      Boolean(keepPre),
    );
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

function addBiasAndActivate(
  pre: Float32Array,
  bias: Float32Array,
  post: Float32Array,
  keepPre: boolean,
): void {
  const width = bias.length;
  for (let row = 0; row < pre.length; row += width) {
    for (let i = 0; i < width; i++) {
      const x = pre[row + i]! + bias[i]!;
      if (keepPre) pre[row + i] = x;
      post[row + i] = x * gate(x * (LINEAR + CUBIC * x * x));
    }
  }
}

/** The logistic function. */
function gate(u: number): number {
  if (u < 0) {
    const e = expOfNegative(u);
    return e / (1 + e);
  }
  return 1 / (1 + expOfNegative(-u));
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
