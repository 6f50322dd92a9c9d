import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { dpoLosses } from "../../../src/alignment/dpo/trainer.js";
import { openBackend } from "../../../src/tensors/index.js";

beforeAll(async () => {
  await openBackend("cpu");
});

test("the loss is −log σ of β times the gain of the margin, log 2 where policy and reference agree", async () => {
  const policy = tf.tensor1d([-10, -20, -12, -19]);
  const reference = tf.tensor1d([-11, -20, -11, -20]);
  const expected = [0.1 * (1 - -1), 0.1 * (0 - 1)].map((margin) => Math.log(1 + Math.exp(-margin)));
  const losses = await dpoLosses(policy, reference, 0.1).data();
  losses.forEach((loss, i) => expect(loss).toBeCloseTo(expected[i] ?? Number.NaN, 6));
  expect((await dpoLosses(policy, policy, 0.1).data())[0]).toBeCloseTo(Math.LN2, 6);
});
