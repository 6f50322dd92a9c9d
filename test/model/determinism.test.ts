import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { generate, gradientsOf, hookPoints } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { CASES, modelOf } from "./cases.js";

const own = CASES[0]!;

/** Runs something twice, with other tensors made and freed in between, and expects the same bits. */
async function expectSameBits(run: () => Promise<ArrayLike<number>[]>): Promise<void> {
  const first = await run();
  const between = tf.randomNormal([64, 64]);
  tf.dispose([between, tf.matMul(between as tf.Tensor2D, between as tf.Tensor2D)]);
  const second = await run();
  expect(second).toEqual(first);
  expect(first.length).toBeGreaterThan(0);
}

onEachBackend(() => {
  test("a forward pass twice gives the same bits at every hook point", async () => {
    const model = modelOf(own);
    await expectSameBits(async () => {
      const { logits, cache } = model.runWithCache(own.sequences, {
        names: hookPoints(own.config),
        padding: "masked",
      });
      const values = await Promise.all([logits, ...cache.values()].map((x) => x.data()));
      logits.dispose();
      cache.dispose();
      return values;
    });
    model.dispose();
  });

  test("gradients twice give the same bits", async () => {
    const model = modelOf(own);
    await expectSameBits(async () => {
      const { parameters, activations, dispose } = await gradientsOf(
        model,
        (options) => tf.sum(model.tokenLogProbs(own.sequences, options)),
        { parameters: "all", activations: "hook_embed", padding: "masked" },
      );
      const values = await Promise.all(
        [...parameters.values(), ...activations.values()].map((x) => x.data()),
      );
      dispose();
      return values;
    });
    model.dispose();
  });

  test("a continuation twice is the same tokens", async () => {
    const model = modelOf(own);
    const sample = { seed: 3, temperature: 2 };
    await expectSameBits(() => generate(model, own.sequences, { maxNewTokens: 3, stopAtEos: false, sample }));
    model.dispose();
  });
});
