import { messageOf } from "@alignscope/base/errors";
import type { Blas } from "./blas.js";
import { openOnnxRuntime } from "./onnx-runtime.js";
import { CANDIDATES, openSystemBlas } from "./system.js";

export type { Blas, Sgemm } from "./blas.js";

/** The value of ALIGNSCOPE_BLAS that stands for the runtime that npm brings along. */
const ONNX_RUNTIME = "onnxruntime";

let found: { blas: Blas | null; reason: string } | undefined;

/**
 * What multiplies matrices, loaded once, or the reason why there is nothing: the system's BLAS, else ONNX Runtime, which npm
 * has installed. ALIGNSCOPE_BLAS names a library file, or `onnxruntime`, or `none` to do without. The number of threads is
 * the library's own; OPENBLAS_NUM_THREADS limits it.
 */
export function findBlas(): { blas: Blas | null; reason: string } {
  return (found ??= search());
}

function search(): { blas: Blas | null; reason: string } {
  const named = process.env["ALIGNSCOPE_BLAS"];
  if (named === "none") return { blas: null, reason: "ALIGNSCOPE_BLAS=none" };
  const candidates = named ? [named] : [...(CANDIDATES[process.platform] ?? []), ONNX_RUNTIME];
  const refusals: string[] = [];
  for (const candidate of candidates) {
    try {
      const blas = candidate === ONNX_RUNTIME ? openOnnxRuntime() : openSystemBlas(candidate);
      return { blas, reason: "" };
    } catch (error) {
      refusals.push(messageOf(error).split("\n")[0] ?? "");
    }
  }
  const remedy = process.platform === "linux" ? "apt-get install libopenblas0-pthread" : "install OpenBLAS";
  const reason = named ? refusals.join("; ") : `none of ${candidates.length} known libraries found`;
  return { blas: null, reason: `no BLAS: ${reason} (${remedy})` };
}
