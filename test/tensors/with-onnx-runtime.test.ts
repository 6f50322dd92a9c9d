import { expect, it, vi } from "vitest";
import { findBlas } from "../../src/tensors/wasm/blas";

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

it("the matrix products of these tests are ONNX Runtime's", () => {
  expect(findBlas()).toMatchObject({
    blas: { name: expect.stringMatching(/^ONNX Runtime \d/) as string },
    reason: "",
  });
});
