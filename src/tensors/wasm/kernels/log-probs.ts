import { FUSED } from "../../ops/fused";
import { expOfNegative } from "../exponential";
import { input, registerFused } from "../kernel";

export function registerLogProbs(): void {
  registerFused(FUSED.pickLogProb, (inputs, _, heap) => {
    const logits = input(inputs, "logits");
    const targets = input(inputs, "targets");
    const out = heap.allocate([logits.shape[0] ?? 0]);
    pick(heap.floats(logits), heap.integers(targets), heap.floats(out));
    return out;
  });
  registerFused(FUSED.pickLogProbGrad, (inputs, { inPlace }, heap) => {
    const logits = input(inputs, "logits");
    const out = inPlace ? heap.share(logits) : heap.allocate(logits.shape);
    const [logProbs, dy] = ["logProbs", "dy"].map((name) => heap.floats(input(inputs, name)));
    const targets = heap.integers(input(inputs, "targets"));
    gradient(heap.floats(logits), logProbs!, targets, dy!, heap.floats(out));
    return out;
  });
}

function pick(logits: Float32Array, targets: Int32Array, logProbs: Float32Array): void {
  const width = logits.length / targets.length;
  for (let row = 0; row < targets.length; row++) {
    const start = row * width;
    const end = start + width;
    let top = logits[start]!;
    for (let i = start + 1; i < end; i++) if (logits[i]! > top) top = logits[i]!;
    let sum = 0;
    for (let i = start; i < end; i++) sum += expOfNegative(logits[i]! - top);
    logProbs[row] = logits[start + targets[row]!]! - top - Math.log(sum);
  }
}

/** The logarithm of the normaliser is what the target's logit has lost. */
function gradient(
  logits: Float32Array,
  logProbs: Float32Array,
  targets: Int32Array,
  dy: Float32Array,
  dLogits: Float32Array,
): void {
  const width = logits.length / targets.length;
  for (let row = 0; row < targets.length; row++) {
    const start = row * width;
    const target = start + targets[row]!;
    const normaliser = logits[target]! - logProbs[row]!;
    const slope = dy[row]!;
    const own = slope * (1 - Math.exp(logProbs[row]!));
    for (let i = start; i < start + width; i++) {
      // Rounding may leave a likely token a trace above the normaliser.
      const logProb = logits[i]! - normaliser;
      dLogits[i] = -slope * (logProb < 0 ? expOfNegative(logProb) : 1);
    }
    dLogits[target] = own;
  }
}
