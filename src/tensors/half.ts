/** IEEE 754 half precision to single. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a single-precision number. */
export function fromBrainFloat(half: number): number {
  singleBits[0] = half << 16;
  return single[0] ?? Number.NaN;
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** Single precision to the nearest half, ties to even; what is too large becomes infinite. */
export function toHalf(value: number): number {
  single[0] = value;
  const bits = singleBits[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  const half = exponent - 112;
  if (half >= 0x1f) return sign | 0x7c00;
  if (half <= 0) {
    // Subnormal: shift the full significand right, rounding.
    if (half < -10) return sign;
    return sign | round(fraction | 0x800000, 14 - half);
  }
  // A carry out of the fraction runs into the exponent, as it should.
  return sign | ((half << 10) + round(fraction, 13));
}

function round(significand: number, shift: number): number {
  const kept = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return rest > tie || (rest === tie && kept & 1) ? kept + 1 : kept;
}
