import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openBackend } from "../../../src/tensors/index.js";
import { openSimd } from "../../../src/tensors/wasm/simd/module.js";

beforeAll(async () => {
  await openBackend("wasm");
});

describe("the SIMD kernels", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("are left out on request", async () => {
    vi.stubEnv("ALIGNSCOPE_SIMD", "none");
    const opened = await openSimd(tf.backend() as BackendWasm);
    expect(opened).toEqual({ simd: null, reason: "ALIGNSCOPE_SIMD=none" });
  });

  test("are left out, with a reason, where the backend's memory cannot be had", async () => {
    const HEAPU8 = new Uint8Array(8);
    const other = { memory: new WebAssembly.Memory({ initial: 1 }) };
    for (const wasm of [{ HEAPU8 }, { HEAPU8, asm: {} }, { HEAPU8, asm: other }]) {
      const opened = await openSimd({ wasm } as unknown as BackendWasm);
      expect(opened.simd).toBeNull();
      expect(opened.reason).toMatch(
        /^no SIMD kernels: this build of the wasm backend does not show its memory$/,
      );
    }
  });
});
