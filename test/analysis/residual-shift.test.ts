import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  activationLevel,
  activationsOf,
  highThreshold,
  lastResiduals,
  type ModelPair,
  projectShift,
  residualShift,
  shiftPlane,
} from "../../src/analysis/index.js";
import { effectiveKey, normScale } from "../../src/analysis/effective-key.js";
import { gaussian } from "../../src/model/index.js";
import { cosine, dot, norm } from "../../src/toxicity/vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { disposePair, plainActivations, PROMPTS, tinyPair } from "./cases.js";

const NEURON = { layer: 1, neuron: 30 };

onEachBackend(({ slow, name }) => {
  const digits = slow ? 3 : 5;

  describe.each(["none", "folded"] as const)("with weights %s", (processing) => {
    let models: ModelPair;
    beforeAll(async () => {
      models = await tinyPair(processing);
    });
    afterAll(() => disposePair(models));

    test("residual streams are those of a plain pass over each prompt, in the order given", async () => {
      const found = await lastResiduals(models.after, PROMPTS, 1, { batchSize: 2 });
      for (const [i, prompt] of PROMPTS.entries()) {
        const plain = (await plainActivations(models.after, prompt, "blocks.1.hook_resid_mid")).at(-1)!;
        found[i]!.forEach((value, d) => expect(value).toBeCloseTo(plain[d]!, digits));
      }
    });

    test("the activation is the MLP's own, and the published one leaves out norm and bias", async () => {
      const residuals = await lastResiduals(models.before, PROMPTS, NEURON.layer);
      const found = await activationsOf(models.before, residuals, NEURON);
      for (const [i, prompt] of PROMPTS.entries()) {
        const plain = await plainActivations(models.before, prompt, "blocks.1.mlp.hook_post");
        expect(found[i]).toBeCloseTo(plain.at(-1)![NEURON.neuron]!, digits);
      }
      const keys = await models.before.weight("h.1.mlp.c_fc.weight").data();
      const { dMlp } = models.before.config;
      const published = await activationsOf(models.before, residuals, NEURON, "as-published");
      residuals.forEach((x, i) => {
        const u = x.reduce((sum, value, d) => sum + value * keys[d * dMlp + NEURON.neuron]!, 0);
        const gelu = 0.5 * u * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (u + 0.044715 * u ** 3)));
        expect(published[i]).toBeCloseTo(gelu, 9);
      });
    });

    test("the plane's half is the one in which the key's pre-activation is positive", async () => {
      const pair = {
        before: await lastResiduals(models.before, PROMPTS, NEURON.layer),
        after: await lastResiduals(models.after, PROMPTS, NEURON.layer),
      };
      const plane = await shiftPlane(models.before, pair, NEURON);
      const { key, bias } = await effectiveKey(models.before, NEURON);
      const scales = [...pair.before, ...pair.after].map((x) => normScale(x, 1e-5));
      const scale = scales.reduce((sum, value) => sum + value, 0) / scales.length;
      plane.before.forEach(({ x, y }, i) => {
        const left = plane.across * x + plane.up * y;
        expect(left).toBeCloseTo(dot(key, pair.before[i]!), 6);
        expect((left - plane.edge) / scale).toBeCloseTo(dot(key, pair.before[i]!) / scale + bias, 6);
      });
      const { mean } = residualShift(pair);
      const along = plane.after.map(({ x }, i) => x - plane.before[i]!.x);
      expect(along.reduce((sum, value) => sum + value, 0) / along.length).toBeCloseTo(norm(mean), 6);
    });
  });

  test(`no tensor is left behind on ${name}`, async () => {
    const models = await tinyPair();
    await expectNoneLeft(async () => {
      const before = await lastResiduals(models.before, PROMPTS, 1);
      const after = await lastResiduals(models.after, PROMPTS, 1);
      await activationsOf(models.before, before, NEURON);
      await shiftPlane(models.before, { before, after }, NEURON);
    });
    disposePair(models);
  });

  test("no prompts and layers that are not there are refused in one line", async () => {
    const models = await tinyPair();
    await expect(lastResiduals(models.before, [], 1)).rejects.toThrow(
      "residual streams got no prompts: expected at least one",
    );
    await expect(lastResiduals(models.before, [[1]], 3)).rejects.toThrow("layer 3, expected 0 to 2");
    disposePair(models);
  });
});

describe("a shift", () => {
  const normal = gaussian(3);
  const before = Array.from({ length: 9 }, () => Float64Array.from({ length: 6 }, normal));
  const constant = Float64Array.of(0.5, -1, 0, 2, 0, 0);
  const after = before.map((row) => row.map((value, d) => value + constant[d]!));

  test("that is the same for every prompt has cosine 1 with its mean, and one sign", () => {
    const { mean, cosines, norms, sameSign } = residualShift({ before, after });
    mean.forEach((value, d) => expect(value).toBeCloseTo(constant[d]!, 12));
    cosines.forEach((value) => expect(value).toBeCloseTo(1, 12));
    norms.forEach((value) => expect(value).toBeCloseTo(norm(constant), 12));
    expect(sameSign).toBe(1);
  });

  test("of one prompt, or of none, says so or is drawn", () => {
    expect(() => residualShift({ before: [], after: [] })).toThrow("residual shift got no prompts");
    expect(() => residualShift({ before, after: [] })).toThrow("9 residual streams before and 0 after");
    const one = projectShift({ before: before.slice(0, 1), after: after.slice(0, 1) });
    expect(one.after[0]!.x - one.before[0]!.x).toBeCloseTo(norm(constant), 9);
    const still = projectShift({ before, after: before });
    expect([...still.before, ...still.after].every(({ x, y }) => x === 0 && Number.isFinite(y))).toBe(true);
  });

  test("is drawn as published: z-scores along the raw mean shift, first component of the z-scores", () => {
    const rows = [...before, ...after];
    const z = rows.map((row) => [...row]);
    for (let d = 0; d < 6; d += 1) {
      const mean = rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length;
      const variance = rows.reduce((sum, row) => sum + (row[d]! - mean) ** 2, 0) / (rows.length - 1);
      rows.forEach((row, i) => (z[i]![d] = (row[d]! - mean) / Math.sqrt(variance)));
    }
    // The first component by power iteration on the covariance.
    let component = Array.from({ length: 6 }, (_, d) => 1 + d);
    for (let k = 0; k < 3000; k += 1) {
      const next = component.map((_, d) => z.reduce((sum, row) => sum + row[d]! * dot(row, component), 0));
      const length = norm(next);
      component = next.map((value) => value / length);
    }
    const found = projectShift({ before, after }, "as-published");
    const points = [...found.before, ...found.after];
    points.forEach(({ x }, i) => expect(x).toBeCloseTo(dot(z[i]!, constant), 9));
    const expected = z.map((row) => dot(row, component));
    expect(
      Math.abs(
        cosine(
          points.map(({ y }) => y),
          expected,
        ),
      ),
    ).toBeCloseTo(1, 6);
    expect(norm(points.map(({ y }) => y))).toBeCloseTo(norm(expected), 6);
  });

  test("is drawn in the stream's own lengths when corrected, the second axis at a right angle", () => {
    const found = projectShift({ before, after });
    found.after.forEach(({ x, y }, i) => {
      expect(x - found.before[i]!.x).toBeCloseTo(norm(constant), 9);
      expect(y).toBeCloseTo(found.before[i]!.y, 9);
    });
  });
});

test("thresholds: High above one, Low above the other, and a quarter of the active ones by the rule", () => {
  const levels = [16, 15, 0.1, 0, -1].map((value) => activationLevel(value, { high: 15, low: 0 }));
  expect(levels).toEqual(["High", "Low", "Low", "None", "None"]);
  expect(highThreshold([-1, 0, 1, 2, 3, 4, 5])).toBe(4);
  expect(highThreshold([-1, 0, 1, 2], 0)).toBe(1.75);
  expect(highThreshold([-1, 0])).toBe(Infinity);
});
