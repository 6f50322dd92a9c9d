import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { createRequire } from "node:module";
import { findBlas } from "./blas";
import type { OpenedBackend } from "./backend";
import { registerFusedKernels } from "./wasm-fused";
import { registerBlasMatMul, registerTransposingMatMul } from "./wasm-matmul";

/** The wasm32 address space; the shipped module may grow its heap up to this. */
const HEAP_CEILING = 4 * 2 ** 30;

let opened: OpenedBackend | undefined;

/** Opens the wasm backend, its matrix product on the system's BLAS where there is one. */
export async function openWasm(): Promise<OpenedBackend> {
  if (!opened) {
    const entry = createRequire(__filename).resolve("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(dirname(entry) + sep);
    setThreadsCount(1);
    await tf.setBackend("wasm");
    const { blas, reason } = findBlas();
    if (blas) registerBlasMatMul(blas.sgemm);
    else registerTransposingMatMul();
    registerFusedKernels();
    opened = {
      backend: "wasm",
      device: "CPU",
      blas: blas?.name ?? null,
      threads: blas?.threads ?? 1,
      memoryLimitBytes: HEAP_CEILING,
      notes: blas ? [] : [reason],
    };
  }
  await tf.setBackend("wasm");
  return opened;
}
