/** One row-major float32 matrix product `C = op(A)·op(B) + beta·C`, beta 0 or 1. */
export type Sgemm = (
  transposeA: boolean,
  transposeB: boolean,
  m: number,
  n: number,
  k: number,
  a: Float32Array,
  lda: number,
  b: Float32Array,
  ldb: number,
  beta: number,
  c: Float32Array,
  ldc: number,
) => void;

/** What multiplies matrices on this machine. */
export interface Blas {
  /** What it is, in words, e.g. `OpenBLAS 0.3.21 SkylakeX`. */
  readonly name: string;
  /** The library's file, a whole path where the system tells. */
  readonly file: string;
  readonly threads: number;
  readonly sgemm: Sgemm;
  /** Multiplications from which on a product is worth a call; 0 where a call costs next to nothing. */
  readonly worthACall: number;
}
