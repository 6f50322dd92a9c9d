import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openBackend } from "../../src/tensors";

describe.each(["wasm", "cpu"])("on the backend %s", (backend) => {
  test("the gradient of tiling adds up what reaches the copies", async () => {
    await openBackend(backend);
    const axes = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(axes, (pairs) => {
        const shape = pairs.map(([length]) => length);
        const reps = pairs.map(([, count]) => count);
        tf.tidy(() => {
          const x = tf.reshape(tf.range(0, tf.util.sizeFromShape(shape)), shape);
          // Which entry of x each entry of the tiling is, so that its own loop can add them up.
          const origin = tf.tile(x, reps);
          const weights = tf.reshape(tf.range(1, origin.size + 1), origin.shape);
          const expected = new Float32Array(x.size);
          const values = weights.dataSync();
          origin.dataSync().forEach((from, i) => (expected[from]! += values[i]!));
          const gradient = tf.grad((input) => tf.sum(tf.mul(tf.tile(input, reps), weights)))(x);
          expect(gradient.shape).toEqual(shape);
          expect(gradient.dataSync()).toEqual(expected);
        });
      }),
    );
  });

  test("the gradient of broadcasting a tensor to a shape is the sum over the copies", async () => {
    await openBackend(backend);
    const gradient = tf.tidy(() =>
      tf.grad((x) => tf.sum(tf.mul(tf.broadcastTo(x, [4, 2, 3]), tf.range(0, 3))))(tf.ones([2, 1])),
    );
    expect(gradient.shape).toEqual([2, 1]);
    expect([...(await gradient.data())]).toEqual([12, 12]);
    gradient.dispose();
  });
});
