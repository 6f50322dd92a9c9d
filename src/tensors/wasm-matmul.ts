import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Sgemm } from "./blas";

/*
 * The matrix product of the wasm backend, replaced.
 *
 * As shipped it is single-threaded in Node and ten times slower with transposed operands, which every backward pass
 * needs. With a system BLAS the product runs there, on views of the wasm heap, without copies; without one, transposed
 * operands are first transposed by the backend's own kernel, so that the product itself is always the fast one.
 */

type Matrix = tf.TensorInfo;

interface MatMulShape {
  batch: number;
  /** 0 where the operand has one matrix for the whole batch. */
  strideA: number;
  strideB: number;
  m: number;
  n: number;
  k: number;
  outShape: number[];
}

function shapeOf(a: Matrix, b: Matrix, transposeA: boolean, transposeB: boolean): MatMulShape {
  const [rowsA, colsA] = lastTwo(a.shape);
  const [rowsB, colsB] = lastTwo(b.shape);
  const m = transposeA ? colsA : rowsA;
  const k = transposeA ? rowsA : colsA;
  const kB = transposeB ? colsB : rowsB;
  const n = transposeB ? rowsB : colsB;
  if (k !== kB) {
    throw new Error(
      `matMul: inner sizes differ: [${a.shape}]${transposeA ? "ᵀ" : ""} · [${b.shape}]${transposeB ? "ᵀ" : ""}`,
    );
  }
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const batch = tf.util.sizeFromShape(outer);
  const batchA = tf.util.sizeFromShape(a.shape.slice(0, -2));
  const batchB = tf.util.sizeFromShape(b.shape.slice(0, -2));
  if ((batchA !== batch && batchA !== 1) || (batchB !== batch && batchB !== 1)) {
    throw new Error(`matMul: batch dimensions of [${a.shape}] and [${b.shape}] cannot be broadcast in part`);
  }
  return {
    batch,
    strideA: batchA === 1 ? 0 : rowsA * colsA,
    strideB: batchB === 1 ? 0 : rowsB * colsB,
    m,
    n,
    k,
    outShape: [...outer, m, n],
  };
}

function lastTwo(shape: number[]): [number, number] {
  return [shape[shape.length - 2] ?? 1, shape[shape.length - 1] ?? 1];
}

/** Registers BatchMatMul and _FusedMatMul of the wasm backend on top of `sgemm`. */
export function registerBlasMatMul(sgemm: Sgemm): void {
  const multiply: Multiply = (backend, a, b, ta, tb, bias) => {
    const { batch, strideA, strideB, m, n, k, outShape } = shapeOf(a, b, ta, tb);
    const out = backend.makeOutput(outShape, "float32");
    // Views are taken after the output exists: allocating may grow the heap, which detaches older views.
    const viewA = backend.typedArrayFromHeap(a) as Float32Array;
    const viewB = backend.typedArrayFromHeap(b) as Float32Array;
    const viewC = backend.typedArrayFromHeap(out) as Float32Array;
    if (bias) fillRows(viewC, backend.typedArrayFromHeap(bias) as Float32Array);
    const beta = bias ? 1 : 0;
    const lda = ta ? m : k;
    const ldb = tb ? k : n;
    if (batch > 1 && strideB === 0 && !ta) {
      // One matrix for the whole batch: the batch is just more rows.
      sgemm(ta, tb, batch * m, n, k, viewA, lda, viewB, ldb, beta, viewC, n);
      return out;
    }
    for (let i = 0; i < batch; i++) {
      const aOf = batch === 1 ? viewA : viewA.subarray(i * strideA);
      const bOf = batch === 1 ? viewB : viewB.subarray(i * strideB);
      const cOf = batch === 1 ? viewC : viewC.subarray(i * m * n);
      sgemm(ta, tb, m, n, k, aOf, lda, bOf, ldb, beta, cOf, n);
    }
    return out;
  };
  replaceMatMul(multiply);
}

/** Registers BatchMatMul and _FusedMatMul so that the shipped product never sees a transposed operand. */
export function registerTransposingMatMul(): void {
  const shipped = kernel("BatchMatMul");
  const transpose = kernel("Transpose");
  const multiply: Multiply = (backend, a, b, ta, tb, bias) => {
    const turn = (x: Matrix): Matrix => {
      const perm = x.shape.map((_, axis) => axis);
      perm.splice(-2, 2, x.shape.length - 1, x.shape.length - 2);
      return transpose({ inputs: { x }, backend, attrs: { perm } }) as Matrix;
    };
    const left = ta ? turn(a) : a;
    const right = tb ? turn(b) : b;
    const attrs = { transposeA: false, transposeB: false };
    const product = shipped({ inputs: { a: left, b: right }, backend, attrs }) as Matrix;
    if (left !== a) backend.disposeData(left.dataId);
    if (right !== b) backend.disposeData(right.dataId);
    if (!bias) return product;
    const sum = kernel("Add")({ inputs: { a: product, b: bias }, backend }) as Matrix;
    backend.disposeData(product.dataId);
    return sum;
  };
  replaceMatMul(multiply);
}

type Multiply = (
  backend: BackendWasm,
  a: Matrix,
  b: Matrix,
  ta: boolean,
  tb: boolean,
  bias?: Matrix,
) => Matrix;

interface MatMulArguments {
  inputs: { a: Matrix; b: Matrix; bias?: Matrix; preluActivationWeights?: Matrix };
  backend: BackendWasm;
  attrs: { transposeA: boolean; transposeB: boolean; activation?: string };
}

function replaceMatMul(multiply: Multiply): void {
  const shippedFused = kernel("_FusedMatMul");
  const plain = ({ inputs: { a, b }, backend, attrs }: MatMulArguments): Matrix =>
    multiply(backend, a, b, attrs.transposeA, attrs.transposeB);
  const fused = (args: MatMulArguments): Matrix => {
    const { inputs, backend, attrs } = args;
    if ((attrs.activation && attrs.activation !== "linear") || inputs.preluActivationWeights) {
      return shippedFused(args) as Matrix;
    }
    return multiply(backend, inputs.a, inputs.b, attrs.transposeA, attrs.transposeB, inputs.bias);
  };
  register("BatchMatMul", plain);
  register("_FusedMatMul", fused);
}

function kernel(name: string): tf.KernelFunc {
  const config = tf.getKernel(name, "wasm");
  if (!config) throw new Error(`the wasm backend has no kernel ${name}`);
  return config.kernelFunc;
}

/**
 * Replaces a kernel in place. Unregistering first keeps tfjs from warning; its setup function has already run for the
 * shipped kernels, which stay callable through the functions taken above.
 */
function register(kernelName: string, kernelFunc: (args: MatMulArguments) => Matrix): void {
  tf.unregisterKernel(kernelName, "wasm");
  tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc: kernelFunc as unknown as tf.KernelFunc });
}

/** Every row of `matrix` becomes `row`, doubling what is already filled. */
function fillRows(matrix: Float32Array, row: Float32Array): void {
  matrix.set(row);
  for (let filled = row.length; filled < matrix.length; filled *= 2) {
    matrix.copyWithin(filled, 0, Math.min(filled, matrix.length - filled));
  }
}
