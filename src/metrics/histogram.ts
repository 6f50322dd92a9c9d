/** One bar of a histogram. */
export interface Bin {
  from: number;
  to: number;
  count: number;
  /** Part of all values, 0 to 1. */
  share: number;
}

/**
 * Counts values in `bins` bars of equal width between their smallest and largest, or between the given ends. Values
 * outside of the ends, and those that are no finite number, are in no bar but count among all of which a share is a part.
 * Ends that meet, as those of a single value do, are taken half a unit apart on either side, so that the bar has a width;
 * no values and no ends give no bars.
 *
 * @param bins at least 1
 * @throws RangeError for a number of bars that is none
 * @example histogram([1, 1, 2, 4], 3) // 1–2: 2, 2–3: 1, 3–4: 1
 */
export function histogram(
  values: ArrayLike<number>,
  bins: number,
  { from, to }: { from?: number; to?: number } = {},
): Bin[] {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new RangeError(`histogram: got ${bins} bars, expected a whole number of at least 1`);
  }
  const finite = Array.from(values).filter(Number.isFinite);
  // An end that is not finite, as the log-odds of a certainty are, bounds nothing that could be drawn.
  const given = (end: number | undefined): number | undefined => (Number.isFinite(end) ? end : undefined);
  let low = given(from) ?? finite.reduce((least, value) => Math.min(least, value), Infinity);
  let high = given(to) ?? finite.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(low <= high)) return [];
  if (low === high) {
    const half = Math.max(0.5, Math.abs(low) * 2 ** -20);
    [low, high] = [low - half, high + half];
  }
  const span = high - low;
  const edge = (i: number): number => (i === bins ? high : low + span * (i / bins));
  const counts = new Array<number>(bins).fill(0);
  for (const value of finite) {
    if (value < low || value > high) continue;
    const bin = Math.min(bins - 1, Math.floor(((value - low) / span) * bins));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts.map((count, i) => ({
    from: edge(i),
    to: edge(i + 1),
    count,
    share: values.length > 0 ? count / values.length : 0,
  }));
}
