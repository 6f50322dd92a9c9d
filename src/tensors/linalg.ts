import { Matrix, SingularValueDecomposition } from "ml-matrix";

/**
 * Singular value decomposition in float64 of rows stacked as a matrix.
 *
 * @param rows n vectors of length d
 * @returns min(n, d) singular values, descending, and as many right singular vectors of length d, whose signs are arbitrary
 */
export function svd(rows: readonly ArrayLike<number>[]): {
  singularValues: Float64Array;
  rightVectors: Float64Array[];
} {
  const [first] = rows;
  if (!first) throw new RangeError("svd: no rows, expected at least one");
  const uneven = rows.findIndex((row) => row.length !== first.length);
  if (uneven >= 0) {
    throw new RangeError(`svd: row ${uneven} has length ${rows[uneven]?.length}, expected ${first.length}`);
  }
  const matrix = new Matrix(rows.map((row) => Array.from(row)));
  const { diagonal, rightSingularVectors: v } = new SingularValueDecomposition(matrix, {
    autoTranspose: true,
  });
  const count = Math.min(rows.length, first.length);
  return {
    singularValues: Float64Array.from(diagonal.slice(0, count)),
    rightVectors: Array.from({ length: count }, (_, i) => Float64Array.from(v.getColumn(i))),
  };
}
