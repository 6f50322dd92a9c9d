import { FUSED } from "../../ops/fused";
import { input, number, registerFused } from "../kernel";

export function registerRmsProp(): void {
  registerFused(FUSED.rmsProp, (inputs, attributes, heap) => {
    const infos = ["parameter", "meanSquare"].map((name) => input(inputs, name));
    const [parameter, meanSquare] = infos.map((info) => heap.floats(info)) as [Float32Array, Float32Array];
    const gradient = heap.floats(input(inputs, "gradient"));
    const [decay, rate, epsilon] = ["decay", "learningRate", "epsilon"].map((name) =>
      number(attributes, name),
    );
    for (let i = 0; i < gradient.length; i++) {
      const slope = gradient[i]!;
      const square = decay! * meanSquare[i]! + (1 - decay!) * slope * slope;
      meanSquare[i] = square;
      parameter[i] = parameter[i]! - (rate! * slope) / (Math.sqrt(square) + epsilon!);
    }
    return infos.map((info) => heap.share(info));
  });
}
