import { vi } from "vitest";

/*
 * The wasm backend chooses its matrix product when it first opens, for the whole process: these are the tests of the model
 * and its operations once more, in a process that finds no BLAS.
 */
vi.hoisted(() => {
  process.env["ALIGNSCOPE_BLAS"] = "none";
  process.env["ALIGNSCOPE_TEST_BACKENDS"] = "wasm";
});

import "../model/activation-cache.test.js";
import "../model/forward.test.js";
import "../model/generate.test.js";
import "../model/gradients.test.js";
import "../model/key-values.test.js";
import "../model/none-left.test.js";
import "../model/token-log-probs.test.js";
import "./extremes.test.js";
import "./wasm-heap.test.js";
import "./ops.test.js";
import "./rmsprop.test.js";
