import { vi } from "vitest";

/*
 * The wasm backend chooses its matrix product when it first opens, for the whole process: these are the tests of the model
 * and its operations once more, in a process that finds no BLAS.
 */
vi.hoisted(() => {
  process.env["ALIGNSCOPE_BLAS"] = "none";
  process.env["ALIGNSCOPE_TEST_BACKENDS"] = "wasm";
});

import "../model/activation-cache.test";
import "../model/forward.test";
import "../model/generate.test";
import "../model/gradients.test";
import "../model/key-values.test";
import "../model/memory.test";
import "../model/token-log-probs.test";
import "./extremes.test";
import "./memory.test";
import "./ops.test";
import "./rmsprop.test";
