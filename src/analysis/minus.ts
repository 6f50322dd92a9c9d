import type { Vector } from "@alignscope/tensors/vectors";

/**
 * a − times · b. A plain loop: appendix C subtracts a hundred million entries at GPT2-medium's size, and
 * `Float64Array.from` with a function is slow.
 */
export function minus(a: Vector, b: Vector, times = 1): Float64Array {
  const difference = new Float64Array(a.length);
  for (let d = 0; d < a.length; d += 1) difference[d] = (a[d] as number) - times * (b[d] as number);
  return difference;
}
