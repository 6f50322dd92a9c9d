import { describe, expect, test } from "vitest";
import { gaussian } from "../../src/base/random.js";
import type { Sgemm } from "../../src/tensors/wasm/blas/blas.js";
import { hasBfloat16, openBfloat16 } from "../../src/tensors/wasm/blas/onednn.js";

const narrow: Sgemm = () => {
  throw new Error("for a few rows only");
};

const values = (count: number, seed: number): Float32Array => {
  const normal = gaussian(seed);
  return Float32Array.from({ length: count }, normal);
};

/** Nearest bfloat16, ties to even: what an operand is rounded to. */
function rounded(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  const [from = 0] = bits;
  bits[0] = (from + 0x7fff + ((from >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0] as number;
}

describe.skipIf(!hasBfloat16())("products in bfloat16 (need AVX-512 BF16 and oneDNN 2)", () => {
  test.each([
    [false, false, 0],
    [false, true, 0],
    [true, false, 0],
    [false, false, 1],
  ])("are those of rounded operands, added up in float32 (ᵀ %s %s, beta %i)", (ta, tb, beta) => {
    const [m, n, k] = [33, 48, 65];
    const [a, b, c] = [values(m * k, 1), values(k * n, 2), values(m * n, 3)];
    const before = Float64Array.from(c);
    openBfloat16(narrow)(ta, tb, m, n, k, a, ta ? m : k, b, tb ? k : n, beta, c, n);
    let worst = 0;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = beta * before[i * n + j]!;
        for (let q = 0; q < k; q++) {
          sum += rounded(ta ? a[q * m + i]! : a[i * k + q]!) * rounded(tb ? b[j * k + q]! : b[q * n + j]!);
        }
        worst = Math.max(worst, Math.abs(sum - c[i * n + j]!));
      }
    }
    expect(worst).toBeLessThan(1e-4);
  });

  test("leave products of a few rows to whoever multiplies in float32", () => {
    const one = values(64, 4);
    expect(() =>
      openBfloat16(narrow)(false, false, 1, 64, 64, one, 64, values(4096, 5), 64, 0, one, 64),
    ).toThrow("for a few rows only");
  });
});

test.skipIf(hasBfloat16())("a machine that cannot says in one line what is missing and what to do", () => {
  expect(() => openBfloat16(narrow)).toThrow(/^bfloat16: .*--precision float32\)$/);
});
