import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { onEachBackend } from "../backends.js";

onEachBackend(({ runs }) => {
  test("the gradient of tiling adds up what reaches the copies", async () => {
    const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(axes, async (pairs) => {
        const shape = pairs.map(([length]) => length);
        const reps = pairs.map(([, count]) => count);
        const x = tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape);
        // Which entry of x each entry of the tiling is, so that its own loop can add them up.
        const origin = tf.tile(x, reps);
        const weights = tf.reshape(tf.range(1, origin.size + 1), origin.shape);
        const expected = new Float32Array(x.size);
        const values = await weights.data();
        (await origin.data()).forEach((from, i) => (expected[from]! += values[i]!));
        const gradient = tf.grad((input) => tf.sum(tf.mul(tf.tile(input, reps), weights)))(x);
        expect(gradient.shape).toEqual(shape);
        expect(await gradient.data()).toEqual(expected);
        tf.dispose([x, origin, weights, gradient]);
      }),
      { numRuns: runs(100) },
    );
  });

  test("the gradient of broadcasting a tensor to a shape is the sum over the copies", async () => {
    const gradient = tf.tidy(() =>
      tf.grad((x) => tf.sum(tf.mul(tf.broadcastTo(x, [4, 2, 3]), tf.range(0, 3))))(tf.ones([2, 1])),
    );
    expect(gradient.shape).toEqual([2, 1]);
    expect([...(await gradient.data())]).toEqual([12, 12]);
    gradient.dispose();
  });
});
