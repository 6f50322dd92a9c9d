import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { setThreadsCount, setWasmPaths, type BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import type { OpenedBackend } from "../opened.js";
import { UserError } from "@alignscope/base/errors";
import { findBlas, type Sgemm } from "./blas/index.js";
import { openBfloat16 } from "./blas/onednn.js";
import { Heap, replaceKernel } from "./kernel.js";
import { registerAttention } from "./kernels/attention.js";
import { registerGelu } from "./kernels/gelu.js";
import { registerLayerNorm } from "./kernels/layer-norm.js";
import { registerLogProbs } from "./kernels/log-probs.js";
import { registerPast } from "./kernels/past.js";
import { registerRmsProp } from "./kernels/rmsprop.js";
import { registerRows } from "./kernels/rows.js";
import { registerSlice } from "./kernels/slice.js";
import { withSmallProducts } from "./kernels/small-products.js";
import { registerBlasMatMul, registerTransposingMatMul } from "./matmul.js";
import { guardAllocation, HEAP_CEILING } from "./heap.js";
import { openSimd, type Simd } from "./simd/module.js";

let opened: OpenedBackend | undefined;

/** Opens the wasm backend, its matrix product on the BLAS that is found. */
export async function openWasm(): Promise<OpenedBackend> {
  if (!opened) {
    const entry = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(dirname(entry) + sep);
    setThreadsCount(1);
    await tf.setBackend("wasm");
    guardAllocation(tf.backend() as BackendWasm);
    const { blas, reason } = findBlas();
    const { simd, reason: withoutSimd } = await openSimd(tf.backend() as BackendWasm);
    registerKernels(blas && simd ? withSmallProducts(blas, simd) : blas?.sgemm, simd);
    opened = {
      backend: "wasm",
      device: "CPU",
      blas: blas?.name ?? null,
      threads: blas?.threads ?? 1,
      memoryLimitBytes: HEAP_CEILING,
      notes: [reason, withoutSimd].filter(Boolean),
    };
  }
  await tf.setBackend("wasm");
  return opened;
}

/** Registers the kernels of this folder, in place of those before: without SIMD kernels as loops of JavaScript. */
export function registerKernels(sgemm: Sgemm | undefined, simd: Simd | null): void {
  registerProducts(sgemm, simd);
  if (sgemm) registerAttention(sgemm, simd);
  registerLayerNorm(simd);
  registerLogProbs(simd);
  registerRows(simd);
  registerRmsProp(simd, sgemm !== undefined);
  registerPast(simd);
  registerSlice();
  // As shipped it copies; every tensor that a gradient keeps goes through it.
  replaceKernel("Identity", ({ inputs, backend }) =>
    new Heap(backend as BackendWasm).share((inputs as { x: tf.TensorInfo }).x),
  );
}

/** Registers the matrix product, and the kernel that ends in one, on `sgemm`; in place of those before. */
export function registerProducts(sgemm: Sgemm | undefined, simd: Simd | null): void {
  const multiply = sgemm ? registerBlasMatMul(sgemm) : registerTransposingMatMul();
  registerGelu((heap, x, weight) => multiply(heap.backend, x, weight, false, false), simd);
}

/**
 * From now on matrix products of the wasm backend, which is open, round their operands to bfloat16: for training. Attention
 * stays in float32.
 *
 * @throws UserError when the processor, oneDNN or a BLAS for the products of a few rows is missing
 */
export async function useBfloat16(): Promise<void> {
  const { blas, reason } = findBlas();
  if (!blas) throw new UserError(`bfloat16: ${reason}`);
  const { simd } = await openSimd(tf.backend() as BackendWasm);
  registerProducts(openBfloat16(blas.sgemm), simd);
}
