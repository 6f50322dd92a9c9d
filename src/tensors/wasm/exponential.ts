const LOG2_E = Math.LOG2E;
const LN_2 = Math.LN2;

/** 2^−k at index k. */
const POWERS = Float64Array.from({ length: 128 }, (_, k) => 2 ** -k);

/**
 * e^x for x ≤ 0, to 1e-8 relative and so to the last bit of a float32; 0 below −87, where a float32 would be denormal.
 * Math.exp costs three times as much, and softmaxes are made of it.
 */
export function expOfNegative(x: number): number {
  if (x < -87) return 0;
  const k = (0.5 - x * LOG2_E) | 0; // nearest power of two, as a positive number
  const r = x + k * LN_2; // |r| ≤ ln 2 / 2
  const r2 = r * r;
  // Taylor's series to r⁷, even and odd parts apart so that they overlap.
  const even = 1 + r2 * (1 / 2 + r2 * (1 / 24 + r2 * (1 / 720)));
  const odd = 1 + r2 * (1 / 6 + r2 * (1 / 120 + r2 * (1 / 5040)));
  return (even + r * odd) * POWERS[k]!;
}
