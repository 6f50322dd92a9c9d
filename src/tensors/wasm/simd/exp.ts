import { four } from "./wat.js";

/** Below this e^x is 0: a float32 would soon be denormal, and denormals cost a hundred cycles each, here and in a BLAS. */
const LOWEST = -87;

// ln 2 in two parts: the first has so few digits that its product with a small integer is exact (Cody and Waite).
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440054690583e-4;

// Adding this leaves the nearest integer in the lowest bits of a float32, for |x| < 2²².
const ROUNDER = 1.5 * 2 ** 23;

// e^r = 1 + r + r²·P(r) for |r| ≤ ln 2 / 2, of least relative error: Cephes' expf (S. Moshier, 1984).
const POLYNOMIAL = [
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
];

/** A function that {@link exp} is used in declares these. */
export const EXP_LOCALS = "(local $ex v128) (local $et v128) (local $ek v128) (local $er v128)";

/**
 * e^x in four lanes, for x ≤ 87: within 2 units of the last place, exactly 0 below {@link LOWEST}, NaN for NaN. x is
 * k·ln 2 + r, and 2^k is added to the exponent's bits of e^r.
 */
export function exp(value: string): string {
  const series = POLYNOMIAL.slice(1).reduce(
    (sum, coefficient) => `(f32x4.add (f32x4.mul ${sum} (local.get $er)) ${four(coefficient)})`,
    four(POLYNOMIAL[0]!),
  );
  return `(block (result v128)
    (local.set $ex ${value})
    (local.set $et (f32x4.add (f32x4.mul (local.get $ex) ${four(Math.LOG2E)}) ${four(ROUNDER)}))
    (local.set $ek (f32x4.sub (local.get $et) ${four(ROUNDER)}))
    (local.set $er (f32x4.sub
      (f32x4.sub (local.get $ex) (f32x4.mul (local.get $ek) ${four(LN_2_HIGH)}))
      (f32x4.mul (local.get $ek) ${four(LN_2_LOW)})))
    (v128.andnot
      (i32x4.add
        (f32x4.add
          (f32x4.add (f32x4.mul (f32x4.mul (local.get $er) (local.get $er)) ${series}) (local.get $er))
          ${four(1)})
        (i32x4.shl (local.get $et) (i32.const 23)))
      (f32x4.lt (local.get $ex) ${four(LOWEST)})))`;
}
