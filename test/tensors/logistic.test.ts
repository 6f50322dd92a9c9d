import { describe, expect, it } from "vitest";
import { fitLogistic, predictLogistic } from "../../src/tensors/logistic.js";
import { cosine } from "../../src/tensors/vectors.js";
import { gaussianVectors } from "../../src/toxicity/random.js";
import { twoClouds } from "../toxicity/clouds.js";

describe("fitLogistic", () => {
  it("is at the optimum of the penalised log loss: no small step of any weight lowers it", () => {
    const direction = gaussianVectors(1, 6, 3)[0] as Float64Array;
    const { features, labels } = twoClouds(200, 6, direction);
    const l2 = 0.05;
    const fit = fitLogistic(features, labels, { l2 });
    const deviations = Array.from({ length: 6 }, (_, j) => {
      const column = Array.from({ length: 200 }, (_, row) => features.values[row * 6 + j] as number);
      const centre = column.reduce((a, b) => a + b) / 200;
      return Math.sqrt(column.reduce((sum, x) => sum + (x - centre) ** 2, 0) / 200);
    });
    const objective = (weights: Float64Array, bias: number) => {
      const p = predictLogistic({ weights, bias }, features);
      let loss = 0;
      labels.forEach(
        (label, i) => (loss -= Math.log(label === 1 ? (p[i] as number) : 1 - (p[i] as number)) / 200),
      );
      return loss + (l2 / 2) * weights.reduce((sum, w, j) => sum + (w * (deviations[j] as number)) ** 2, 0);
    };
    const best = objective(fit.weights, fit.bias);
    for (let j = 0; j < 6; j += 1) {
      for (const step of [1e-3, -1e-3]) {
        const moved = Float64Array.from(fit.weights);
        moved[j] = (moved[j] as number) + step;
        // Moving a weight about the column's mean leaves the bias' optimum where it was, to first order.
        const mean = j === 0 ? 100 : 0;
        expect(objective(moved, fit.bias - step * mean)).toBeGreaterThan(best);
      }
    }
  });

  it("points along the direction that separates the classes", () => {
    const direction = gaussianVectors(1, 12, 5)[0] as Float64Array;
    const { features, labels } = twoClouds(2000, 12, direction, 0.3);
    expect(cosine(fitLogistic(features, labels, { l2: 1e-3 }).weights, direction)).toBeGreaterThan(0.97);
  });

  it("survives a column that never varies", () => {
    const features = { rows: 4, columns: 2, values: Float64Array.from([1, 5, 2, 5, 3, 5, 4, 5]) };
    const fit = fitLogistic(features, [0, 0, 1, 1], { l2: 0.1 });
    expect(fit.weights[1]).toBe(0);
    expect(fit.weights[0]).toBeGreaterThan(0);
  });
});
