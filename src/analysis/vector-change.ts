/** Along which way a tensor is taken apart into vectors; `whole`: it is one vector. */
export type Along = "rows" | "columns" | "whole";

/**
 * How one vector w changed into w′, in float64. "Norm difference" (section 5.1) has four readings, of which the paper does not
 * say which one it means (docs/recipes.md#norm-differences); `Readings` has them all.
 */
export interface VectorChange extends Readings {
  /** Which row or column; 0 of a whole. */
  index: number;
  /** Of the angle between w and w′; null where one of them is zero and has no direction. */
  cosine: number | null;
  /**
   * 1 − cosine, right to its own digits where the cosine is 1 to almost all of its; 0 for equal vectors, null where the cosine
   * is.
   */
  cosineDistance: number | null;
}

/** The four readings of "norm difference", of one vector. */
export interface Readings {
  /** (a) | ‖w‖ − ‖w′‖ |: how much longer or shorter it became. */
  normDifference: number;
  /** (b) ‖w′ − w‖: how far its end moved. */
  distance: number;
  /** (c) Mean of |w′ − w| over its entries. */
  perElement: number;
  /** (d) ‖w′ − w‖ / ‖w‖; null where w is zero. */
  relative: number | null;
}

/** Sums over the entries of each of some vectors, from which everything else follows. */
export interface VectorSums {
  count: number;
  /** Entries of each vector. */
  length: number;
  /** Σ w², Σ w′², Σ (w′ − w)², Σ (w′² − w²), Σ |w′ − w|; one entry per vector. */
  before: Float64Array;
  after: Float64Array;
  moved: Float64Array;
  gained: Float64Array;
  absolute: Float64Array;
  /** The largest |w′ − w| of all. */
  largest: number;
}

/**
 * One pass over a matrix before and after, vector by vector.
 *
 * @param before values `[rows, columns]`, row by row; `after` of the same shape
 * @param along `whole` takes all entries as one vector
 */
export function vectorSums(
  before: ArrayLike<number>,
  after: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  along: Along,
): VectorSums {
  const count = along === "rows" ? rows : along === "columns" ? columns : 1;
  const zeros = (): Float64Array => new Float64Array(count);
  const sums = { before: zeros(), after: zeros(), moved: zeros(), gained: zeros(), absolute: zeros() };
  const [rowStep, columnStep] = [along === "rows" ? 1 : 0, along === "columns" ? 1 : 0];
  let largest = 0;
  for (let i = 0, at = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1, at += 1) {
      const k = i * rowStep + j * columnStep;
      const [w, v] = [before[at]!, after[at]!];
      const step = v - w;
      const size = Math.abs(step);
      sums.before[k]! += w * w;
      sums.after[k]! += v * v;
      sums.moved[k]! += step * step;
      // v² − w² without the digits that the difference of two almost equal squares would lose.
      sums.gained[k]! += step * (v + w);
      sums.absolute[k]! += size;
      if (size > largest) largest = size;
    }
  }
  return { ...sums, count, length: (rows * columns) / count, largest };
}

/** What became of vector `index`. */
export function changeOf(sums: VectorSums, index: number): VectorChange {
  const [before, after] = [Math.sqrt(sums.before[index]!), Math.sqrt(sums.after[index]!)];
  const moved = sums.moved[index]!;
  const grown = before + after === 0 ? 0 : sums.gained[index]! / (before + after);
  const distance = Math.sqrt(moved);
  // ‖w′ − w‖² = (‖w′‖ − ‖w‖)² + 2 ‖w‖ ‖w′‖ (1 − cos): the small numbers are at hand, no difference from 1 is taken.
  const cosineDistance =
    before * after === 0 ? null : Math.min(2, Math.max(0, (moved - grown * grown) / (2 * before * after)));
  return {
    index,
    cosine: cosineDistance === null ? null : 1 - cosineDistance,
    cosineDistance,
    normDifference: Math.abs(grown),
    distance,
    perElement: sums.absolute[index]! / sums.length,
    relative: before === 0 ? null : distance / before,
  };
}

/** The sums of all vectors together, as those of one. */
export function together(sums: VectorSums): VectorSums {
  const total = (values: Float64Array): Float64Array =>
    Float64Array.of(values.reduce((sum, value) => sum + value, 0));
  const { before, after, moved, gained, absolute, largest } = sums;
  return {
    count: 1,
    length: sums.count * sums.length,
    before: total(before),
    after: total(after),
    moved: total(moved),
    gained: total(gained),
    absolute: total(absolute),
    largest,
  };
}
