/** Plain float64 arithmetic on vectors, and statistics of lists of numbers. */

export type Vector = ArrayLike<number>;

export function dot(a: Vector, b: Vector): number {
  if (a.length !== b.length) throw new RangeError(`dot: lengths differ (${a.length} and ${b.length})`);
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

export function norm(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** Cosine of the angle between two vectors; 0 when either of them is zero. */
export function cosine(a: Vector, b: Vector): number {
  const lengths = norm(a) * norm(b);
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

/** `a` times a number. */
export function scaled(a: Vector, factor: number): Float64Array {
  return Float64Array.from(a, (value) => value * factor);
}

/** `a` at length 1. */
export function unit(a: Vector): Float64Array {
  const length = norm(a);
  if (!(length > 0)) throw new RangeError("unit: a zero vector has no direction");
  return scaled(a, 1 / length);
}

/** `a`, or its opposite if that is on `reference`'s side: singular vectors come with a sign of no meaning. */
export function signedTowards(a: Float64Array, reference: Vector): Float64Array {
  return dot(a, reference) < 0 ? scaled(a, -1) : a;
}

/** Arithmetic mean; NaN of nothing. */
export function mean(values: Vector): number {
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += values[i] as number;
  return sum / values.length;
}

/** The middle one of the values, or the mean of the two in the middle; NaN of nothing. */
export function median(values: Vector): number {
  const sorted = Float64Array.from(values).sort();
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Linear interpolation between the two nearest of ascending values; `share` from 0 to 1. */
export function quantile(ascending: Vector, share: number): number {
  const place = share * (ascending.length - 1);
  const below = ascending[Math.floor(place)] as number;
  const above = ascending[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
}

/** Pearson's correlation of two equally long lists. */
export function pearson(a: Vector, b: Vector): number {
  const meanA = mean(a);
  const meanB = mean(b);
  return cosine(
    Float64Array.from(a, (value) => value - meanA),
    Float64Array.from(b, (value) => value - meanB),
  );
}

/** Spearman's rank correlation; equal values share the mean of their ranks. */
export function spearman(a: Vector, b: Vector): number {
  return pearson(ranks(a), ranks(b));
}

/** Ranks from 1, ties averaged. */
export function ranks(values: Vector): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (i, j) => (values[i] as number) - (values[j] as number),
  );
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1] as number] === values[order[from] as number])
      to += 1;
    for (let k = from; k <= to; k += 1) result[order[k] as number] = (from + to) / 2 + 1;
    from = to + 1;
  }
  return result;
}

/** Area under the ROC curve of scores against labels, 1 positive, from rank sums (Mann and Whitney). */
export function auroc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const rank = ranks(scores);
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < labels.length; i += 1) {
    if (labels[i] !== 1) continue;
    positives += 1;
    rankSum += rank[i] as number;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (labels.length - positives));
}
