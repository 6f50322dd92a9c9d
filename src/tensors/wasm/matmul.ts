import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Sgemm } from "./blas/index.js";
import { replaceKernel, shippedKernel } from "./kernel.js";

/*
 * The matrix product of the wasm backend, replaced.
 *
 * As shipped it is single-threaded in Node and ten times slower with transposed operands, which every backward pass
 * needs. With a BLAS the product runs there, on views of the wasm heap, without copies; without one, transposed
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

/** A matrix product `op(a)·op(b) + bias` of the wasm backend. */
export type Multiply = (
  backend: BackendWasm,
  a: Matrix,
  b: Matrix,
  transposeA: boolean,
  transposeB: boolean,
  bias?: Matrix,
) => Matrix;

/** Registers BatchMatMul and _FusedMatMul of the wasm backend on top of `sgemm`, and returns what they run. */
export function registerBlasMatMul(sgemm: Sgemm): Multiply {
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
  return multiply;
}

/** The same without a BLAS, so that the shipped product never sees a transposed operand. */
export function registerTransposingMatMul(): Multiply {
  const shipped = shippedKernel("BatchMatMul");
  const transpose = shippedKernel("Transpose");
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
    const sum = shippedKernel("Add")({ inputs: { a: product, b: bias }, backend }) as Matrix;
    backend.disposeData(product.dataId);
    return sum;
  };
  replaceMatMul(multiply);
  return multiply;
}

interface MatMulArguments {
  inputs: { a: Matrix; b: Matrix; bias?: Matrix; preluActivationWeights?: Matrix };
  backend: BackendWasm;
  attrs: { transposeA: boolean; transposeB: boolean; activation?: string };
}

function replaceMatMul(multiply: Multiply): void {
  const shippedFused = shippedKernel("_FusedMatMul");
  replaceKernel("BatchMatMul", (call) => {
    const { inputs, backend, attrs } = call as MatMulArguments;
    return multiply(backend, inputs.a, inputs.b, attrs.transposeA, attrs.transposeB);
  });
  replaceKernel("_FusedMatMul", (call) => {
    const { inputs, backend, attrs } = call as MatMulArguments;
    if ((attrs.activation && attrs.activation !== "linear") || inputs.preluActivationWeights) {
      return shippedFused(call as Parameters<tf.KernelFunc>[0]);
    }
    return multiply(backend, inputs.a, inputs.b, attrs.transposeA, attrs.transposeB, inputs.bias);
  });
}

/** Every row of `matrix` becomes `row`, doubling what is already filled. */
function fillRows(matrix: Float32Array, row: Float32Array): void {
  matrix.set(row);
  for (let filled = row.length; filled < matrix.length; filled *= 2) {
    matrix.copyWithin(filled, 0, Math.min(filled, matrix.length - filled));
  }
}
