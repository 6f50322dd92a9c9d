import { describe, expect, it } from "vitest";
import { classificationReport } from "../../src/toxicity/classification.js";
import { classMeanDifference, sweepPenalties } from "../../src/toxicity/penalty.js";
import { fitProbe } from "../../src/toxicity/probe.js";
import { gaussianVectors } from "../../src/toxicity/random.js";
import { stratifiedSplit } from "../../src/toxicity/split.js";
import { auroc, dot } from "../../src/tensors/vectors.js";
import { twoClouds } from "./clouds.js";

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
