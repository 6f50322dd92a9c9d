import { svd } from "@alignscope/tensors/linalg";
import { dot, scaled, unit, type Vector } from "./vectors.js";

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
  const { singularValues, rightVectors } = svd(vectors.map(unit));
  return {
    singularValues: Array.from(singularValues),
    directions: rightVectors.map((direction) =>
      dot(direction, probe) < 0 ? scaled(direction, -1) : direction,
    ),
  };
}
