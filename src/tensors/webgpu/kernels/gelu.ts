import { FUSED } from "../../ops/fused.js";
import { elementwise } from "./elementwise.js";
import { define, floatOutput, take } from "./define.js";

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;

/**
 * GELU's gate σ(2√(2/π)(x + 0.044715x³)) in WGSL, for f32 or vec4<f32>. Its argument is held where the exponential is
 * finite: beyond, the gate is 0 or 1 in float32.
 */
const GATE = (type: string): string => `
fn geluGate(x: ${type}) -> ${type} {
  let u = clamp(x * (${CUBIC} * x * x + ${LINEAR}), ${type}(-80.0), ${type}(80.0));
  return 1.0 / (1.0 + exp(-u));
}`;

/** The function `gelu` in WGSL. */
export const GELU = (type: string): string => `${GATE(type)}
fn gelu(x: ${type}) -> ${type} { return x * geluGate(x); }`;

/** The gradient of GELU: dPre = dy·(g + post·(1 − g)·(2√(2/π)(1 + 3·0.044715·x²))). */
export function registerGelu(): void {
  define(FUSED.geluGrad, ({ inputs, backend }) => {
    const pre = take(inputs, "pre");
    const out = floatOutput(backend, pre.shape);
    elementwise(backend, {
      name: "geluGrad",
      tensors: { pre, post: take(inputs, "post"), dy: take(inputs, "dy"), out },
      written: ["out"],
      functions: GATE,
      body: `let gate = geluGate(pre[i]);
  let inner = ${3 * CUBIC} * pre[i] * pre[i] + ${LINEAR};
  out[i] = dy[i] * (gate + post[i] * (1.0 - gate) * inner);`,
    });
    return out;
  });
}
