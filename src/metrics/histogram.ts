/** One bar of a histogram. */
export interface Bin {
  from: number;
  to: number;
  count: number;
  /** Part of all values, 0 to 1. */
  share: number;
}

/** Counts values in `bins` bars of equal width between their smallest and largest, or between the given ends. */
export function histogram(
  values: ArrayLike<number>,
  bins: number,
  {
    from = least(values),
    to = -least(Float64Array.from(values, (x) => -x)),
  }: { from?: number; to?: number } = {},
): Bin[] {
  const width = (to - from) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < from || value > to) continue;
    const bin = Math.min(bins - 1, Math.floor((value - from) / width) || 0);
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts.map((count, i) => ({
    from: from + i * width,
    to: from + (i + 1) * width,
    count,
    share: count / values.length,
  }));
}

function least(values: ArrayLike<number>): number {
  let result = Infinity;
  for (let i = 0; i < values.length; i += 1) result = Math.min(result, values[i] as number);
  return result;
}
