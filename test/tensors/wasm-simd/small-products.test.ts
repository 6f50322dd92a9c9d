import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { openBackend } from "../../../src/tensors/index.js";
import { withSmallProducts } from "../../../src/tensors/wasm/kernels/small-products.js";
import { openSimd, type Simd } from "../../../src/tensors/wasm/simd/module.js";

let simd: Simd | null = null;
let reason = "";
beforeAll(async () => {
  await openBackend("wasm");
  ({ simd, reason } = await openSimd(tf.backend() as BackendWasm));
});

const size = fc.integer({ min: 1, max: 40 });
const gap = fc.constantFrom(0, 5);

it("a small product is that of float64, its operands in the heap with gaps between rows; what is not small is left to the BLAS", (context) => {
  if (!simd) return context.skip(reason);
  let calls = 0;
  const blas = { name: "", file: "", threads: 1, worthACall: 30_000, sgemm: () => void calls++ };
  const sgemm = withSmallProducts(blas, simd);
  const form = fc.constantFrom<[boolean, boolean]>([false, false], [false, true], [true, false]);
  fc.assert(
    fc.property(form, size, size, size, gap, gap, gap, ([ta, tb], m, n, k, gapA, gapB, gapC) => {
      const [lda, ldb, ldc] = [(ta ? m : k) + gapA, (tb ? k : n) + gapB, n + gapC];
      const [a, b, c] = [
        tf.randomUniform([(ta ? k : m) * lda], -1, 1),
        tf.randomUniform([(tb ? n : k) * ldb], -1, 1),
        tf.fill([m * ldc], 7),
      ] as const;
      const heap = tf.backend() as BackendWasm;
      const [left, right, product] = [a, b, c].map((x) => heap.typedArrayFromHeap(x) as Float32Array) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      const before = calls;
      sgemm(ta, tb, m, n, k, left, lda, right, ldb, 0, product, ldc);
      expect(calls - before).toBe(m * n * k < blas.worthACall ? 0 : 1);
      for (let at = 0; at < m * ldc; at++) {
        const [row, column] = [Math.floor(at / ldc), at % ldc];
        let sum = 0;
        for (let i = 0; i < k; i++) {
          sum += left[ta ? i * lda + row : row * lda + i]! * right[tb ? column * ldb + i : i * ldb + column]!;
        }
        const expected = column < n && calls === before ? sum : 7;
        expect(Math.abs(product[at]! - expected)).toBeLessThanOrEqual(1e-6 * (k + 1));
      }
      tf.dispose([a, b, c]);
    }),
  );
});
