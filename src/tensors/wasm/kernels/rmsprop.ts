import { FUSED } from "../../ops/fused";
import { input, number, registerFused, sizeOf } from "../kernel";
import type { Simd } from "../simd/module";

export function registerRmsProp(simd: Simd | null): void {
  registerFused(FUSED.rmsProp, (inputs, attributes, heap) => {
    const infos = ["parameter", "meanSquare"].map((name) => input(inputs, name));
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
    return infos.map((info) => heap.share(info));
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
