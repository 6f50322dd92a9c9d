import type { TensorInfo } from "@tensorflow/tfjs-core";
import { FUSED } from "../../ops/fused.js";
import type { DeviceBackend } from "../device.js";
import { programOf, run, spread, type Program } from "../run.js";
import { define, floatOutput, sameData, take } from "./define.js";

/*
 * Log-probabilities of chosen classes, from rows of GPT-2's 50,257 logits, without their softmax.
 */

const WORKGROUP = 256;
/** Below any logit, and finite. */
const LOWEST = "-1e30";
/** Logits that one invocation turns into gradients. */
const OWN = 4;

export function registerLogProbs(): void {
  define(FUSED.pickLogProb, ({ inputs, backend }) => {
    const [logits, targets] = [take(inputs, "logits"), take(inputs, "targets")];
    const [rows, classes] = logits.shape as [number, number];
    const out = floatOutput(backend, [rows]);
    if (rows === 0) return out;
    run(
      backend,
      programOf("pickLogProb", pickProgram),
      [logits, targets, out],
      { rows, classes },
      spread(backend, rows),
    );
    return out;
  });

  define(FUSED.pickLogProbGrad, ({ inputs, attrs, backend }) => {
    const [logits, logProbs] = [take(inputs, "logits"), take(inputs, "logProbs")];
    const [targets, dy] = [take(inputs, "targets"), take(inputs, "dy")];
    const inPlace = attrs["inPlace"] === true;
    const out = inPlace ? sameData(backend, logits) : floatOutput(backend, logits.shape);
    const [rows, classes] = logits.shape as [number, number];
    if (rows * classes === 0) return out;
    const normalizer = normalizers(backend, logits, logProbs, targets);
    const program = programOf(`pickLogProbGrad${inPlace ? " in place" : ""}`, () => ({
      bindings: [
        ...(inPlace ? [] : [{ name: "logits" }]),
        { name: "normalizer" },
        { name: "targets", type: "i32" as const },
        { name: "dy" },
        { name: inPlace ? "logits" : "out", write: true },
      ],
      parameters: { count: "u32", classes: "u32" },
      workgroup: WORKGROUP,
      body: `
  let start = (group.y * groups.x + group.x) * ${WORKGROUP * OWN}u + tid;
  for (var own = 0u; own < ${OWN}u; own++) {
    let i = start + own * ${WORKGROUP}u;
    if (i >= p.count) { return; }
    let row = i / p.classes;
    let chosen = select(0.0, 1.0, i % p.classes == u32(targets[row]));
    ${inPlace ? "logits" : "out"}[i] = dy[row] * (chosen - exp(logits[i] - normalizer[row]));
  }`,
    }));
    const tensors = [...(inPlace ? [] : [logits]), normalizer, targets, dy, out];
    const groups = spread(backend, Math.ceil((rows * classes) / (WORKGROUP * OWN)));
    run(backend, program, tensors, { count: rows * classes, classes }, groups);
    backend.disposeData(normalizer.dataId);
    return out;
  });
}

/**
 * One workgroup per row. Every invocation keeps the largest logit it has met and the sum of exponentials relative to it,
 * so one pass over the row does; the invocations' pairs are then merged in a fixed order.
 */
function pickProgram(): Omit<Program, "key"> {
  return {
    bindings: [{ name: "logits" }, { name: "targets", type: "i32" }, { name: "out", write: true }],
    parameters: { rows: "u32", classes: "u32" },
    workgroup: WORKGROUP,
    declarations: `
var<workgroup> largests: array<f32, ${WORKGROUP}>;
var<workgroup> sums: array<f32, ${WORKGROUP}>;`,
    body: `
  let row = group.y * groups.x + group.x;
  if (row >= p.rows) { return; }
  let start = row * p.classes;
  var largest = ${LOWEST};
  var sum = 0.0;
  for (var i = tid; i < p.classes; i += ${WORKGROUP}u) {
    let logit = logits[start + i];
    if (logit > largest) {
      sum = sum * exp(largest - logit) + 1.0;
      largest = logit;
    } else {
      sum += exp(logit - largest);
    }
  }
  largests[tid] = largest;
  sums[tid] = sum;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (tid < half) {
      let both = max(largests[tid], largests[tid + half]);
      sums[tid] = sums[tid] * exp(largests[tid] - both) + sums[tid + half] * exp(largests[tid + half] - both);
      largests[tid] = both;
    }
    workgroupBarrier();
  }
  if (tid == 0u) { out[row] = logits[start + u32(targets[row])] - largests[0] - log(sums[0]); }`,
  };
}

/** log Σ exp of each row, from the log-probability of its target; before the gradient may overwrite the logits. */
function normalizers(
  backend: DeviceBackend,
  logits: TensorInfo,
  logProbs: TensorInfo,
  targets: TensorInfo,
): TensorInfo {
  const [rows, classes] = logits.shape as [number, number];
  const out = floatOutput(backend, [rows]);
  const program = programOf("pickLogProbGrad: normalizers", () => ({
    bindings: [
      { name: "logits" },
      { name: "logProbs" },
      { name: "targets", type: "i32" },
      { name: "out", write: true },
    ],
    parameters: { rows: "u32", classes: "u32" },
    workgroup: WORKGROUP,
    body: `
  let row = group.x * ${WORKGROUP}u + tid;
  if (row < p.rows) { out[row] = logits[row * p.classes + u32(targets[row])] - logProbs[row]; }`,
  }));
  run(backend, program, [logits, logProbs, targets, out], { rows, classes }, [
    Math.ceil(rows / WORKGROUP),
    1,
    1,
  ]);
  return out;
}
