import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  activationLevel,
  activationsOf,
  highThreshold,
  type ModelPair,
  shiftPlane,
} from "../../src/analysis/index.js";
import { effectiveKey, normScale } from "../../src/analysis/effective-key.js";
import { activationRows, type GPT2 } from "../../src/model/index.js";
import { dot, norm } from "../../src/tensors/vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { disposePair, plainActivations, PROMPTS, tinyPair } from "./cases.js";

const NEURON = { layer: 1, neuron: 30 };
const POINT = "blocks.1.hook_resid_mid";

/** Residual streams before the neuron's MLP at the last position, `[prompt][dModel]`. */
const streamsOf = (model: GPT2, prompts: number[][]): Promise<number[][]> =>
  activationRows(model, prompts, { names: POINT, positions: -1 }, (cache) =>
    tf.squeeze(cache.at(POINT), [1]),
  );

onEachBackend(({ slow, name }) => {
  const digits = slow ? 3 : 5;

  describe.each(["none", "folded"] as const)("with weights %s", (processing) => {
    let models: ModelPair;
    beforeAll(async () => {
      models = await tinyPair(processing);
    });
    afterAll(() => disposePair(models));

    test("the activation is the MLP's own, and the published one leaves out norm and bias", async () => {
      const residuals = await streamsOf(models.before, PROMPTS);
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
        before: await streamsOf(models.before, PROMPTS),
        after: await streamsOf(models.after, PROMPTS),
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
      const mean = key.map((_, d) => {
        const shifts = pair.after.map((row, i) => row[d]! - pair.before[i]![d]!);
        return shifts.reduce((sum, value) => sum + value, 0) / shifts.length;
      });
      const along = plane.after.map(({ x }, i) => x - plane.before[i]!.x);
      expect(along.reduce((sum, value) => sum + value, 0) / along.length).toBeCloseTo(norm(mean), 6);
    });
  });

  test(`no tensor is left behind on ${name}`, async () => {
    const models = await tinyPair();
    await expectNoneLeft(async () => {
      const before = await streamsOf(models.before, PROMPTS);
      const after = await streamsOf(models.after, PROMPTS);
      await activationsOf(models.before, before, NEURON);
      await shiftPlane(models.before, { before, after }, NEURON);
    });
    disposePair(models);
  });
});

test("thresholds: High above one, Low above the other, and a quarter of the active ones by the rule", () => {
  const levels = [16, 15, 0.1, 0, -1].map((value) => activationLevel(value, { high: 15, low: 0 }));
  expect(levels).toEqual(["High", "Low", "Low", "None", "None"]);
  expect(highThreshold([-1, 0, 1, 2, 3, 4, 5])).toBe(4);
  expect(highThreshold([-1, 0, 1, 2], 0)).toBe(1.75);
  expect(highThreshold([-1, 0])).toBe(Infinity);
});
