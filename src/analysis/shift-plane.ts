import type { GPT2 } from "../model/index.js";
import type { Neuron } from "../toxicity/value-vectors.js";
import { dot, mean, norm, unit, type Vector } from "@alignscope/tensors/vectors";
import { effectiveKey, normScale } from "./effective-key.js";
import { minus } from "./minus.js";

/** Residual streams of the same prompts before and after alignment, `[prompt][dModel]`. */
export interface ResidualPair {
  before: readonly Vector[];
  after: readonly Vector[];
}

/** A residual stream as a point of a plane. */
export interface ShiftPoint {
  x: number;
  y: number;
}

/**
 * The plane that the mean shift and a neuron's key span, through the origin of the residual stream. On the line
 * `across · x + up · y = edge` the neuron's pre-activation is 0; where the left side is greater, it is positive.
 */
export interface ShiftPlane {
  before: ShiftPoint[];
  after: ShiftPoint[];
  /** The key's part along the mean shift, and at a right angle to it. */
  across: number;
  up: number;
  edge: number;
}

/**
 * Figure 3, which is a sketch in the paper, from data: x is along the mean shift, y along what of the key is orthogonal to
 * it, so that the key's half-plane of activation is exact but for one thing: the layer norm's scale, which every point has
 * its own of, is their mean.
 *
 * @param model whose key it is; residual streams are those before the neuron's MLP
 */
export async function shiftPlane(model: GPT2, pair: ResidualPair, neuron: Neuron): Promise<ShiftPlane> {
  const { key, bias } = await effectiveKey(model, neuron);
  const shifts = pair.after.map((row, i) => minus(row, pair.before[i] as Vector));
  const shift = key.map((_, d) => mean(shifts.map((own) => own[d] as number)));
  const zero = new Float64Array(key.length);
  const first = norm(shift) === 0 ? zero : unit(shift);
  const across = dot(key, first);
  const rest = key.map((value, d) => value - across * (first[d] as number));
  const up = norm(rest);
  const second = up === 0 ? zero : unit(rest);
  const at = (x: Vector): ShiftPoint => ({ x: dot(x, first), y: dot(x, second) });
  const scale = mean([...pair.before, ...pair.after].map((x) => normScale(x, model.config.layerNormEpsilon)));
  return { before: pair.before.map(at), after: pair.after.map(at), across, up, edge: -bias * scale };
}
