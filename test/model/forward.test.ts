import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hookPoints, type GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { CASES, expectValues, logSoftmaxOf, modelOf, relativeError, valuesOf, WIDE } from "./cases.js";

const PADDINGS = ["masked", "as-published"] as const;

onEachBackend(({ some }) => {
  describe.each(some([...CASES, WIDE]))("$name", (own) => {
    const { config, weights, sequences } = own;
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    test.each(PADDINGS)("log-probabilities are those of float64: padding %s", async (padding) => {
      const { logProbs } = forward(weights, config, layOut(sequences, config, padding));
      const logits = model.forward(sequences, { padding });
      expect(logits.shape).toEqual(logProbs.shape);
      const measured = logSoftmaxOf(await valuesOf(logits), config.vocabSize);
      expect(relativeError(measured, logProbs.values)).toBeLessThan(1e-5);
    });

    test.each(PADDINGS)("every activation is that of float64: padding %s", async (padding) => {
      const { activations, logProbs } = forward(weights, config, layOut(sequences, config, padding));
      const names = hookPoints(config);
      expect([...activations.keys()].sort()).toEqual([...names].sort());
      const { logits, cache } = model.runWithCache(sequences, { names, padding });
      for (const name of names) {
        const { shape, values } = activations.get(name)!;
        const activation = cache.at(name);
        expect(activation.shape, name).toEqual(shape);
        if (name.endsWith("hook_attn_scores")) await expectScores(activation, values, name);
        else await expectValues(tf.clone(activation), values, 1e-5, name);
      }
      const measured = logSoftmaxOf(await valuesOf(logits), config.vocabSize);
      expect(relativeError(measured, logProbs.values)).toBeLessThan(1e-5);
      cache.dispose();
    });

    test("so are those outside attention where nobody listens to attention", async () => {
      const { activations } = forward(weights, config, layOut(sequences, config));
      const outside = (name: string): boolean => /resid|_out$|mlp\.hook_post$/.test(name);
      const { logits, cache } = model.runWithCache(sequences, { names: outside, padding: "masked" });
      expect(cache.size).toBe(6 * config.nLayer);
      for (const [name, activation] of cache) {
        await expectValues(tf.clone(activation), activations.get(name)!.values, 1e-5, name);
      }
      logits.dispose();
      cache.dispose();
    });
  });
});

/** Scores of keys that may not be seen are far below all others. */
async function expectScores(scores: tf.Tensor, expected: Float64Array, name: string): Promise<void> {
  const measured = Float64Array.from(await scores.data());
  const visible = (_: number, i: number): boolean => Number.isFinite(expected[i]!);
  expect(relativeError(measured.filter(visible), expected.filter(visible)), name).toBeLessThan(1e-5);
  expect(measured.filter((x, i) => !visible(x, i)).every((x) => x < -1e8)).toBe(true);
}
