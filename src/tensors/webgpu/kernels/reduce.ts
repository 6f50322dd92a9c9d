/**
 * A sum over a workgroup in WGSL: `workgroupSum(tid, value)`, the same for all invocations. Pairs are added in a fixed
 * order, so the bits are the same in every run.
 */
export const WORKGROUP_SUM = (workgroup: number, name = "workgroupSum"): string => `
var<workgroup> ${name}s: array<f32, ${workgroup}>;
fn ${name}(tid: u32, value: f32) -> f32 {
  ${name}s[tid] = value;
  workgroupBarrier();
  for (var half = ${workgroup / 2}u; half > 0u; half /= 2u) {
    if (tid < half) { ${name}s[tid] += ${name}s[tid + half]; }
    workgroupBarrier();
  }
  let sum = ${name}s[0];
  // Nobody starts the next sum while others still read this one.
  workgroupBarrier();
  return sum;
}`;
