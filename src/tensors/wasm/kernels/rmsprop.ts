import { FUSED } from "../../ops/fused.js";
import { input, number, registerFused, sizeOf } from "../kernel.js";
import type { Simd } from "../simd/module.js";

/**
 * @param inPlace whether a parameter keeps its memory. Where the shipped matrix product runs it must not: that product
 *   remembers a packed copy of its right operand for as long as the operand's data lives, whatever is written there.
 */
export function registerRmsProp(simd: Simd | null, inPlace: boolean): void {
  registerFused(FUSED.rmsProp, (inputs, attributes, heap) => {
    const [before, meanSquare] = [input(inputs, "parameter"), input(inputs, "meanSquare")];
    const updated = inPlace ? heap.share(before) : heap.allocate(before.shape);
    if (!inPlace) heap.floats(updated).set(heap.floats(before));
    const infos = [updated, heap.share(meanSquare)];
    const all = [...infos, input(inputs, "gradient")];
    const settings = ["decay", "learningRate", "epsilon"].map((name) => number(attributes, name)) as Three;
    if (simd) {
      const [decay, rate, epsilon] = settings;
      const [parameter, meanSquare, gradient] = all.map((info) => heap.address(info)) as Three;
      const count = sizeOf(all[0]!);
      simd.rmsProp(parameter, meanSquare, gradient, count, decay, 1 - decay, rate, epsilon);
    } else {
      update(...(all.map((info) => heap.floats(info)) as Views), ...settings);
    }
    return infos;
  });
}

type Three = [number, number, number];
type Views = [Float32Array, Float32Array, Float32Array];

function update(
  parameter: Float32Array,
  meanSquare: Float32Array,
  gradient: Float32Array,
  decay: number,
  rate: number,
  epsilon: number,
): void {
  for (let i = 0; i < gradient.length; i++) {
    const slope = gradient[i]!;
    const square = decay * meanSquare[i]! + (1 - decay) * slope * slope;
    meanSquare[i] = square;
    parameter[i] = parameter[i]! - (rate * slope) / (Math.sqrt(square) + epsilon);
  }
}
