import { expect, it, vi } from "vitest";
import { findBlas } from "../../src/tensors/wasm/blas/index.js";

/*
 * The model and its operations once more, in a process whose matrix products are ONNX Runtime's: what a machine has on which
 * nobody has installed a BLAS.
 */
vi.hoisted(() => {
  process.env["ALIGNSCOPE_BLAS"] = "onnxruntime";
  process.env["ALIGNSCOPE_TEST_BACKENDS"] = "wasm";
});

import "../model/forward.test.js";
import "../model/generate.test.js";
import "../model/gradients.test.js";
import "../model/key-values.test.js";
import "./extremes.test.js";
import "./ops.test.js";

it("the matrix products of these tests are ONNX Runtime's", () => {
  expect(findBlas()).toMatchObject({
    blas: { name: expect.stringMatching(/^ONNX Runtime \d/) as string },
    reason: "",
  });
});
