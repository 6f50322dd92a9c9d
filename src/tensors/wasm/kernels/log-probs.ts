import { FUSED } from "../../ops/fused.js";
import { expOfNegative } from "../exponential.js";
import { input, registerFused } from "../kernel.js";
import type { Simd } from "../simd/module.js";

export function registerLogProbs(simd: Simd | null): void {
  const sumExp = simd ? simdSum(simd) : sumOfLoop;
  const scaledExp = simd ? simdScaledExp(simd) : loopScaledExp;
  registerFused(FUSED.pickLogProb, (inputs, _, heap) => {
    const logits = input(inputs, "logits");
    const targets = input(inputs, "targets");
    const out = heap.allocate([logits.shape[0] ?? 0]);
    pick(heap.floats(logits), heap.integers(targets), heap.floats(out), sumExp);
    return out;
  });
  registerFused(FUSED.pickLogProbGrad, (inputs, { inPlace }, heap) => {
    const logits = input(inputs, "logits");
    const out = inPlace ? heap.share(logits) : heap.allocate(logits.shape);
    const [logProbs, dy] = ["logProbs", "dy"].map((name) => heap.floats(input(inputs, name)));
    const targets = heap.integers(input(inputs, "targets"));
    gradient(heap.floats(logits), logProbs!, targets, dy!, heap.floats(out), scaledExp);
    return out;
  });
}

/** The largest of a row, and Σ e^(x − top). */
type Sum = (row: Float32Array) => { top: number; sum: number };

/** `to = factor·min(e^(row − normaliser), 1)`: rounding may leave a likely class a trace above the normaliser. */
type ScaledExp = (row: Float32Array, to: Float32Array, normaliser: number, factor: number) => void;

function simdSum(simd: Simd): Sum {
  return (row) => {
    const top = simd.maxOf(row.byteOffset, row.length);
    return { top, sum: simd.sumExp(row.byteOffset, row.length, top) };
  };
}

function sumOfLoop(row: Float32Array): { top: number; sum: number } {
  let top = -Infinity;
  for (let i = 0; i < row.length; i++) if (row[i]! > top) top = row[i]!;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += expOfNegative(row[i]! - top);
  return { top, sum };
}

function simdScaledExp(simd: Simd): ScaledExp {
  return (row, to, normaliser, factor) => {
    const high = Math.fround(normaliser);
    simd.scaledExp(row.byteOffset, to.byteOffset, row.length, high, normaliser - high, factor);
  };
}

function loopScaledExp(row: Float32Array, to: Float32Array, normaliser: number, factor: number): void {
  for (let i = 0; i < row.length; i++) {
    const logProb = row[i]! - normaliser;
    to[i] = factor * (logProb < 0 ? expOfNegative(logProb) : 1);
  }
}

function pick(logits: Float32Array, targets: Int32Array, logProbs: Float32Array, sumExp: Sum): void {
  const width = logits.length / targets.length;
  targets.forEach((target, n) => {
    const row = logits.subarray(n * width, (n + 1) * width);
    const { top, sum } = sumExp(row);
    logProbs[n] = row[target]! - top - Math.log(sum);
  });
}

/** The logarithm of the normaliser is what the target's logit has lost. */
function gradient(
  logits: Float32Array,
  logProbs: Float32Array,
  targets: Int32Array,
  dy: Float32Array,
  dLogits: Float32Array,
  scaledExp: ScaledExp,
): void {
  const width = logits.length / targets.length;
  targets.forEach((target, n) => {
    const [row, to] = [logits, dLogits].map((all) => all.subarray(n * width, (n + 1) * width));
    const logProb = logProbs[n]!;
    scaledExp(row!, to!, row![target]! - logProb, -dy[n]!);
    to![target] = dy[n]! * (1 - Math.exp(logProb));
  });
}
