import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { dot, scaled, unit, type Vector } from "./vectors";

/** Orthonormal directions of a set of value vectors, strongest first. */
export interface SvdBasis {
  /** Descending. */
  singularValues: number[];
  /** SVD.U_toxic: unit vectors in R^dModel, the right singular vectors of the stacked value vectors. */
  directions: Float64Array[];
}

/**
 * The singular vectors of value vectors stacked at unit length (section 3.2). The official code stacks them as columns,
 * dModel x N, and takes left singular vectors: the same directions. An SVD leaves each direction's sign open; here it is
 * the one with a positive dot product with W_toxic.
 *
 * @param vectors N vectors of [dModel]
 * @param probe W_toxic, [dModel]
 */
export function svdBasis(vectors: readonly Vector[], probe: Vector): SvdBasis {
  const stack = new Matrix(vectors.map((vector) => Array.from(unit(vector)))); // [N, dModel]
  const { diagonal, rightSingularVectors } = new SingularValueDecomposition(stack, {
    computeLeftSingularVectors: false,
    autoTranspose: true,
  });
  const count = Math.min(stack.rows, stack.columns);
  const columns = Array.from({ length: count }, (_, k) =>
    Float64Array.from(rightSingularVectors.getColumn(k)),
  );
  return {
    singularValues: diagonal.slice(0, count),
    directions: columns.map((direction) => (dot(direction, probe) < 0 ? scaled(direction, -1) : direction)),
  };
}
