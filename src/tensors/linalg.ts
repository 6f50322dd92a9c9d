import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { dot } from "./vectors.js";

/** A thin singular value decomposition, A = Σᵢ σᵢ·uᵢ·vᵢᵀ. */
export interface Svd {
  /** σ: min(n, d) of them, descending. */
  singularValues: Float64Array;
  /** v: as many unit vectors of length d, orthogonal to each other; that of a zero singular value as well. */
  rightVectors: Float64Array[];
  /** u: as many unit vectors of length n, orthogonal to each other; none unless asked for. */
  leftVectors: Float64Array[];
}

/**
 * Entries below this share of the largest one are taken for zero. No singular value moves by more than a rounding error
 * of the largest for it, and products of such entries, which would underflow, do not arise.
 */
const NEGLIGIBLE = 2 ** -100;

/**
 * Singular value decomposition in float64 of rows stacked as a matrix of any rank. The signs of a pair uᵢ, vᵢ are
 * arbitrary; each σ is right to a few roundings of the largest. 512 x 1,024 numbers take some 3 s,
 * 1,199 x 1,024 some 13 s.
 *
 * @param rows n vectors of length d, finite numbers
 * @param options what is computed
 * @param options.left whether the left singular vectors are wanted as well, which takes half as long again
 * @throws RangeError when there are no rows, rows of unequal length, or numbers that are not finite
 * @example
 * const { singularValues, rightVectors } = svd([[3, 0], [0, 4]]); // [4, 3], ±[0, 1] and ±[1, 0]
 */
export function svd(rows: readonly ArrayLike<number>[], { left = false }: { left?: boolean } = {}): Svd {
  const width = checkedWidth("svd", rows);
  // Decomposed at the size of 1, and stretched back: the library fails on numbers whose squares underflow. A power of
  // two changes no digit.
  const exponent = exponentOf(rows);
  const scaled = rows.map((row) =>
    Array.from(row, (value) => negligibleAsZero(timesPower(value, -exponent))),
  );
  const decomposition = new SingularValueDecomposition(new Matrix(scaled), {
    autoTranspose: true,
    computeLeftSingularVectors: left,
  });
  const count = Math.min(rows.length, width);
  const columns = (matrix: Matrix): Float64Array[] =>
    Array.from({ length: count }, (_, i) => Float64Array.from(matrix.getColumn(i)));
  return {
    singularValues: Float64Array.from(decomposition.diagonal.slice(0, count), (value) =>
      timesPower(value, exponent),
    ),
    rightVectors: columns(decomposition.rightSingularVectors),
    leftVectors: left ? columns(decomposition.leftSingularVectors) : [],
  };
}

/** What {@link pca} does to its data first, and how much of it to return. */
export interface PcaOptions {
  /** Whether each dimension's mean is subtracted; true unless said otherwise. */
  centre?: boolean;
  /** Whether each dimension is divided by its sample standard deviation (over n − 1); false unless said otherwise. */
  standardise?: boolean;
  /** How many components; all min(n, d) unless said otherwise. */
  components?: number;
}

/** Principal components, strongest first. */
export interface Pca {
  /** Unit vectors of length d. */
  components: Float64Array[];
  /** The sample variance (over n − 1) of the data along each component. */
  explainedVariance: Float64Array;
  /** The same as a share of the variance of all dimensions; 0 where nothing varies. */
  explainedShare: Float64Array;
  /** Each row's coordinates along the components, `[n][components]`. */
  scores: Float64Array[];
  /** The data as they were decomposed, centred and standardised as asked, `[n][d]`. */
  data: Float64Array[];
}

/**
 * Principal component analysis in float64. A component's sign is the one that makes its entry of largest magnitude (the
 * first of them) positive. The paper's figure 4 draws residual streams along the first component of z-scored dimensions,
 * `{ standardise: true, components: 1 }`, and projects `data` onto the mean shift.
 *
 * @param rows n vectors of length d, at least two; a dimension in which they do not differ stays 0 when standardised
 * @throws RangeError as {@link svd} does, on fewer than two rows, and on more components than min(n, d)
 * @example
 * const { scores } = pca(residuals, { standardise: true, components: 1 });
 */
export function pca(
  rows: readonly ArrayLike<number>[],
  { centre = true, standardise = false, components }: PcaOptions = {},
): Pca {
  const width = checkedWidth("pca", rows);
  if (rows.length < 2) throw new RangeError("pca: one row, expected at least two");
  const most = Math.min(rows.length, width);
  const count = components ?? most;
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new RangeError(
      `pca: ${count} components of ${rows.length} rows of length ${width}, expected 1 to ${most}`,
    );
  }
  const freedom = rows.length - 1;
  const data = rows.map((row) => Float64Array.from(row));
  for (let j = 0; j < width; j += 1) {
    const column = data.map((row) => row[j] as number);
    const mean = column.reduce((sum, value) => sum + value, 0) / rows.length;
    const squares = column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const same = column.every((value) => value === column[0]);
    const deviation = standardise && !same ? Math.sqrt(squares / freedom) : 1;
    data.forEach((row, i) => {
      // The mean of equal numbers may miss them by a rounding: they are centred exactly.
      const centred = centre ? (same ? 0 : (column[i] as number) - mean) : (column[i] as number);
      row[j] = centred / deviation;
    });
  }
  const { singularValues, rightVectors } = svd(data);
  const variances = singularValues.map((value) => value ** 2 / freedom);
  const total = variances.reduce((sum, value) => sum + value, 0);
  const chosen = rightVectors.slice(0, count).map(largestEntryPositive);
  return {
    components: chosen,
    explainedVariance: variances.slice(0, count),
    explainedShare: variances.slice(0, count).map((value) => (total > 0 ? value / total : 0)),
    scores: data.map((row) => Float64Array.from(chosen, (component) => dot(row, component))),
    data,
  };
}

function checkedWidth(caller: string, rows: readonly ArrayLike<number>[]): number {
  const [first] = rows;
  if (!first) throw new RangeError(`${caller}: no rows, expected at least one`);
  if (first.length === 0) throw new RangeError(`${caller}: rows of no numbers, expected at least one`);
  rows.forEach((row, i) => {
    if (row.length !== first.length) {
      throw new RangeError(`${caller}: row ${i} has length ${row.length}, expected ${first.length}`);
    }
    for (let j = 0; j < row.length; j += 1) {
      if (!Number.isFinite(row[j])) {
        throw new RangeError(`${caller}: ${row[j]} in row ${i} at ${j}, expected finite numbers`);
      }
    }
  });
  return first.length;
}

/** The exponent of the power of two next to the largest magnitude; 0 when all is zero. */
function exponentOf(rows: readonly ArrayLike<number>[]): number {
  let largest = 0;
  for (const row of rows) {
    for (let j = 0; j < row.length; j += 1) largest = Math.max(largest, Math.abs(row[j] as number));
  }
  return largest > 0 ? Math.floor(Math.log2(largest)) : 0;
}

/** `value · 2^exponent`, in halves: the power alone may be too large or too small for a float64. */
function timesPower(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

function negligibleAsZero(value: number): number {
  return Math.abs(value) < NEGLIGIBLE ? 0 : value;
}

function largestEntryPositive(vector: Float64Array): Float64Array {
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? vector.map((value) => -value) : vector;
}
