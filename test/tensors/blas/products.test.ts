import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageOf } from "../../../src/base/errors.js";
import { findBlas, type Blas } from "../../../src/tensors/wasm/blas/index.js";
import { openOnnxRuntime } from "../../../src/tensors/wasm/blas/onnx-runtime.js";

interface Product {
  transposeA: boolean;
  transposeB: boolean;
  m: number;
  n: number;
  k: number;
  gaps: [number, number, number];
  beta: number;
  seed: number;
}

const size = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 33, 70));
const products: fc.Arbitrary<Product> = fc.record({
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  m: size,
  n: size,
  k: size,
  gaps: fc.tuple(
    ...([0, 1, 2].map(() => fc.constantFrom(0, 0, 3)) as [fc.Arbitrary<number>, ...fc.Arbitrary<number>[]]),
  ) as fc.Arbitrary<[number, number, number]>,
  beta: fc.constantFrom(0, 1),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

/** Numbers from −1 to 1 that the seed settles. */
function numbers(seed: number, count: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  });
}

function expectProduct(
  { sgemm }: Blas,
  { transposeA, transposeB, m, n, k, gaps, beta, seed }: Product,
): void {
  const [lda, ldb, ldc] = [(transposeA ? m : k) + gaps[0], (transposeB ? k : n) + gaps[1], n + gaps[2]];
  const a = numbers(seed, (transposeA ? k : m) * lda);
  const b = numbers(seed + 1, (transposeB ? n : k) * ldb);
  const before = numbers(seed + 2, m * ldc);
  const c = before.slice();
  sgemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < ldc; column++) {
      const at = row * ldc + column;
      // What lies between two rows is not the product's.
      let expected = column < n ? beta * before[at]! : before[at]!;
      for (let i = 0; column < n && i < k; i++) {
        const left = a[transposeA ? i * lda + row : row * lda + i]!;
        expected += left * b[transposeB ? column * ldb + i : i * ldb + column]!;
      }
      expect(Math.abs(c[at]! - expected)).toBeLessThanOrEqual(1e-6 * (k + 1));
    }
  }
}

function opened(open: () => Blas | null): { blas?: Blas; reason: string } {
  try {
    const blas = open();
    return blas ? { blas, reason: "" } : { reason: "none found" };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}

describe.each([
  ["the system's BLAS", opened(() => findBlas().blas)],
  ["ONNX Runtime", opened(openOnnxRuntime)],
])("%s", (_, { blas, reason }) => {
  it.skipIf(!blas)(
    `multiplies as float64 does, transposed or not, with gaps between rows, onto what was there (${blas?.name ?? reason})`,
    () => {
      fc.assert(fc.property(products, (product) => blas && expectProduct(blas, product)));
    },
  );
});
