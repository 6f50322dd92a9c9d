import { FUSED } from "../../ops/fused.js";
import { define, numberOf, sameData, take } from "./define.js";
import { elementwise } from "./elementwise.js";

/** One step of RMSProp in place: s ← αs + (1−α)g², θ ← θ − η·g/(√s + ε). */
export function registerRmsProp(): void {
  define(FUSED.rmsProp, ({ inputs, attrs, backend }) => {
    const [parameter, meanSquare] = [take(inputs, "parameter"), take(inputs, "meanSquare")];
    const decay = numberOf(attrs, "decay");
    elementwise(backend, {
      name: "rmsProp",
      tensors: { parameter, meanSquare, gradient: take(inputs, "gradient") },
      written: ["parameter", "meanSquare"],
      parameters: {
        decay,
        // Rounded once, from the difference in float64.
        rest: 1 - decay,
        learningRate: numberOf(attrs, "learningRate"),
        epsilon: numberOf(attrs, "epsilon"),
      },
      body: `let g = gradient[i];
  let square = p.decay * meanSquare[i] + p.rest * g * g;
  meanSquare[i] = square;
  parameter[i] -= p.learningRate * g / (sqrt(square) + p.epsilon);`,
    });
    return [sameData(backend, parameter), sameData(backend, meanSquare)];
  });
}
