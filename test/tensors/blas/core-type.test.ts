import { describe, expect, it } from "vitest";
import { findBlas } from "../../../src/tensors/wasm/blas/index.js";
import { coreFor } from "../../../src/tensors/wasm/blas/core-type.js";

const AVX512 = ["avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"];

describe("OpenBLAS is told to use the kernels for", () => {
  it.each([
    ["AVX-512 where the processor has all of it", ["sse2", "avx2", "fma", ...AVX512], "SkylakeX"],
    ["AVX2 where a part of AVX-512 is missing", ["avx2", "fma", "avx512f"], "Haswell"],
    ["nothing in particular where it is older", ["sse2", "avx"], undefined],
  ])("%s", (_, flags, core) => {
    expect(coreFor(new Set(flags))).toBe(core);
  });
});

it("an OpenBLAS that is found names its version and the kernels it uses", (context) => {
  const { blas } = findBlas();
  context.skip(!blas?.name.startsWith("OpenBLAS"), "needs OpenBLAS");
  expect(blas?.name).toMatch(/^OpenBLAS \d+\.\d+\S* \w+$/);
});
