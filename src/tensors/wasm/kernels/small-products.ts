import type { Blas, Sgemm } from "../blas/index.js";
import type { Simd } from "../simd/module.js";

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * A product of operands on the backend's heap: small ones, of which attention has one for each head, by our own kernels where
 * a call of the BLAS would take longer to begin than they to end.
 */
export function withSmallProducts({ sgemm, worthACall }: Blas, simd: Simd): Sgemm {
  if (worthACall === 0) return sgemm;
  return (transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc) => {
    const [atA, atB, atC] = [a.byteOffset, b.byteOffset, c.byteOffset];
    const [rowA, rowB, rowC] = [lda * FLOAT, ldb * FLOAT, ldc * FLOAT];
    if (m * n * k >= worthACall || beta !== 0 || (transposeA && transposeB)) {
      sgemm(transposeA, transposeB, m, n, k, a, lda, b, ldb, beta, c, ldc);
    } else if (transposeB) {
      simd.multiplyTransposed(atA, rowA, atB, rowB, atC, rowC, m, n, k);
    } else if (transposeA) {
      simd.multiply(atA, FLOAT, atB, rowB, atC, rowC, m, n, k, rowA);
    } else {
      simd.multiply(atA, rowA, atB, rowB, atC, rowC, m, n, k, FLOAT);
    }
  };
}
