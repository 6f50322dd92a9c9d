import { vi } from "vitest";

/*
 * The model and its operations once more, in a process whose matrix products are ONNX Runtime's: what a machine has on which
 * nobody has installed a BLAS.
 */
vi.hoisted(() => {
  process.env["ALIGNSCOPE_BLAS"] = "onnxruntime";
  process.env["ALIGNSCOPE_TEST_BACKENDS"] = "wasm";
});

import "../model/forward.test";
import "../model/generate.test";
import "../model/gradients.test";
import "../model/key-values.test";
import "./extremes.test";
import "./ops.test";
