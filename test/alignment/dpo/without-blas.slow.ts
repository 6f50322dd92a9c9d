import { vi } from "vitest";

/* The wasm backend chooses its matrix product once per process: the numbers of DPO once more, in one that finds no BLAS. */
vi.hoisted(() => {
  process.env["ALIGNSCOPE_BLAS"] = "none";
  process.env["ALIGNSCOPE_TEST_BACKENDS"] = "wasm";
});

import "./numbers.slow.js";
import "./trainable.test.js";
