/** One comparison: how far this implementation is from the golden value, and how far it may be. */
export interface Check {
  name: string;
  error: number;
  tolerance: number;
}

/** Golden log-probabilities, losses and probabilities are float64; float32 stays within this. */
const TOLERANCE = 1e-4;

/** A comparison; a difference counts whatever its sign, and what is no number is as wrong as can be. */
export function check(name: string, error: number, tolerance = TOLERANCE): Check {
  return { name, error: Number.isNaN(error) ? Infinity : Math.abs(error), tolerance };
}

/** Tokens, orders and names are right or wrong: the error is the number of places where they differ. */
export function exact(name: string, measured: unknown[], expected: unknown[]): Check {
  const [a, b] = [measured.flat(), expected.flat()];
  const differing = a.filter((value, i) => value !== b[i]).length + Math.abs(a.length - b.length);
  return { name, error: differing, tolerance: 0 };
}

/** The largest difference of any two values; infinite where shapes differ. */
export function maxError(measured: number[][], expected: number[][]): number {
  if (measured.length !== expected.length) return Infinity;
  let worst = 0;
  expected.forEach((row, i) => {
    const own = measured[i] ?? [];
    if (own.length !== row.length) worst = Infinity;
    row.forEach((value, j) => {
      const error = Math.abs((own[j] ?? Number.NaN) - value);
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
    });
  });
  return worst;
}
