/** A share of `n` cases, with the 95% interval of Wilson's score. */
export interface Share {
  value: number;
  low: number;
  high: number;
  n: number;
}

/** The standard normal's 97.5% quantile. */
const Z = 1.959964;

/**
 * A share with its 95% score interval (Wilson 1927). Unlike a bootstrap's, it has a width where none or all of the cases
 * count, which is where a bound on a small share is decided.
 *
 * @param cases whether each case counts; at least one
 * @example wilson([true, false, false, false]) // { value: 0.25, low: 0.046, high: 0.699, n: 4 }
 * @throws RangeError for no cases
 */
export function wilson(cases: readonly boolean[]): Share {
  const n = cases.length;
  if (n === 0) throw new RangeError("wilson: a share of no cases, expected at least one");
  const value = cases.filter(Boolean).length / n;
  const middle = (value + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z / (1 + Z ** 2 / n)) * Math.sqrt((value * (1 - value)) / n + Z ** 2 / (4 * n ** 2));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half), n };
}
