import { describe, expect, it } from "vitest";
import { auroc, classificationReport } from "../../src/toxicity/classification.js";
import { fitLogistic, predictLogistic, type Matrix } from "../../src/toxicity/logistic.js";
import { classMeanDifference, sweepPenalties } from "../../src/toxicity/penalty.js";
import { fitProbe } from "../../src/toxicity/probe.js";
import { gaussianVectors } from "../../src/toxicity/random.js";
import { stratifiedSplit } from "../../src/toxicity/split.js";
import { cosine, dot } from "../../src/tensors/vectors.js";

/** Rows around ± `apart` times `direction`, noise elsewhere, far from the origin in one coordinate. */
function twoClouds(
  rows: number,
  columns: number,
  direction: Float64Array,
  apart = 1.5,
): { features: Matrix; labels: number[] } {
  const noise = gaussianVectors(rows, columns, 7);
  const labels = noise.map((_, row) => row % 2);
  const values = new Float64Array(rows * columns);
  noise.forEach((vector, row) =>
    vector.forEach((x, j) => {
      const pull = (labels[row] === 1 ? 1 : -1) * (direction[j] as number);
      values[row * columns + j] = x + apart * pull + (j === 0 ? 100 : 0);
    }),
  );
  return { features: { rows, columns, values }, labels };
}

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

describe("fitProbe", () => {
  it("reports held-out accuracy beside the majority baseline, the same for the same seed", () => {
    const direction = gaussianVectors(1, 8, 11)[0] as Float64Array;
    const { features, labels } = twoClouds(400, 8, direction);
    const means = Array.from({ length: features.rows }, (_, row) =>
      features.values.subarray(8 * row, 8 * row + 8),
    );
    const probe = fitProbe(means, labels, { seed: 3 });
    expect(probe.validation.examples).toBe(40);
    expect(probe.train.examples).toBe(360);
    expect(probe.validation.majorityBaseline).toBe(0.5);
    expect(probe.validation.auroc).toBeGreaterThan(0.95);
    expect(probe.norm).toBeCloseTo(Math.sqrt(dot(probe.direction, probe.direction)), 12);
    expect(fitProbe(means, labels, { seed: 3 })).toEqual(probe);
  });

  it("refuses labels of one class in one line", () => {
    expect(() => fitProbe([[1], [2]], [1, 1])).toThrow(
      /2 toxic comments of 2: expected some of either class/,
    );
  });
});

describe("sweepPenalties", () => {
  it("takes the strongest penalty within the tolerance, which lies nearer to the difference of the class means", () => {
    // One coordinate separates the classes widely but noisily, another one narrowly and cleanly.
    const noise = gaussianVectors(600, 2, 4);
    const labels = noise.map((_, row) => row % 2);
    const values = Float64Array.from(
      noise.flatMap(([a, b], row) => {
        const side = labels[row] === 1 ? 1 : -1;
        return [2 * side + 3 * (a as number), 0.02 * side + 0.02 * (b as number)];
      }),
    );
    const features = { rows: 600, columns: 2, values };
    const { sweep, penalty } = sweepPenalties(features, labels, {
      penalties: [1e-4, 1e-2, 1, 100],
      tolerance: 0,
    });
    expect(sweep.map((result) => result.penalty)).toEqual([100, 1, 1e-2, 1e-4]);
    expect(sweep.find((result) => result.penalty === penalty)?.auroc).toBe(
      Math.max(...sweep.map(({ auroc }) => auroc)),
    );
    const cosines = sweep.map((result) => result.cosineToMeanDifference);
    expect(cosines).toEqual([...cosines].sort((a, b) => b - a));
    expect(sweepPenalties(features, labels, { penalties: [1e-4, 1e-2, 1, 100], tolerance: 1 }).penalty).toBe(
      100,
    );
    const [x, y] = classMeanDifference(features, labels);
    expect(x).toBeCloseTo(4, 0);
    expect(y).toBeCloseTo(0.04, 2);
  });
});

describe("classificationReport", () => {
  it("counts by hand", () => {
    const report = classificationReport([0.9, 0.8, 0.4, 0.2, 0.6], [1, 1, 1, 0, 0]);
    expect(report).toEqual({
      examples: 5,
      positives: 3,
      accuracy: 0.6,
      majorityBaseline: 0.6,
      auroc: 5 / 6,
      f1: 2 / 3,
    });
  });

  it("counts ties half", () => {
    expect(auroc([0.5, 0.5], [1, 0])).toBe(0.5);
  });
});

describe("stratifiedSplit", () => {
  it("keeps the share of each label and uses every example once", () => {
    const labels = Array.from({ length: 300 }, (_, i) => (i < 60 ? 1 : 0));
    const { train, validation } = stratifiedSplit(labels, 0.1, 1);
    expect(validation.filter((i) => labels[i] === 1)).toHaveLength(6);
    expect(validation).toHaveLength(30);
    expect([...train, ...validation].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
    expect(stratifiedSplit(labels, 0.1, 2).validation).not.toEqual(validation);
  });
});
