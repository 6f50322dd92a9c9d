import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { differentiable, isDifferentiating, valueAndGradients } from "../../src/tensors/tape.js";
import { onEachBackend } from "../backends.js";

async function valuesOf(tensor: tf.Tensor | undefined): Promise<number[]> {
  const values = Array.from((await tensor?.data()) ?? []);
  tensor?.dispose();
  return values;
}

onEachBackend(() => {
  describe("the tape", () => {
    test("a source that is named twice has two gradients, each to be disposed of", async () => {
      const x = tf.tensor1d([1, 2]);
      const { value, gradients } = valueAndGradients(() => tf.sum(tf.square(x)), [x, x]);
      gradients[0]?.dispose();
      expect(await valuesOf(gradients[1])).toEqual([2, 4]);
      tf.dispose([value, x]);
    });

    test("a tensor met on the way can be a source, beside what it was made of", async () => {
      const x = tf.tensor1d([1, 2]);
      const sources: tf.Tensor[] = [x];
      const { value, gradients } = valueAndGradients(() => {
        const doubled = tf.mul(x, 2);
        sources.push(doubled);
        return tf.sum(tf.square(doubled));
      }, sources);
      expect(await valuesOf(gradients[0])).toEqual([8, 16]);
      expect(await valuesOf(gradients[1])).toEqual([4, 8]);
      tf.dispose([value, x]);
    });

    test("what the scalar does not depend on has no gradient", () => {
      const [x, other] = [tf.scalar(3), tf.scalar(4)];
      const { value, gradients } = valueAndGradients(() => tf.mul(x, 2), [other, x]);
      expect(gradients[0]).toBeUndefined();
      tf.dispose([value, gradients[1] as tf.Tensor, x, other]);
    });

    test("a gradient that nobody asks for is not computed", async () => {
      const asked: string[] = [];
      const both = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
        differentiable([a, b], () => ({
          value: tf.add(a, b),
          gradient: (dy) =>
            ["a", "b"].map((name) => () => {
              asked.push(name);
              return tf.mul(dy, 5);
            }),
        }));
      const [a, b] = [tf.scalar(1), tf.scalar(2)];
      const { value, gradients } = valueAndGradients(() => both(a, b) as tf.Scalar, [b]);
      expect(asked).toEqual(["b"]);
      expect(await valuesOf(gradients[0])).toEqual([5]);
      tf.dispose([value, a, b]);
    });

    test("it ends, and what it kept is freed, also where the function throws", () => {
      const x = tf.tensor1d([1, 2]);
      const before = tf.memory().numTensors;
      const fail = (): tf.Scalar => {
        tf.square(x);
        throw new Error("no scalar");
      };
      expect(() => valueAndGradients(fail, [x])).toThrow("no scalar");
      expect(isDifferentiating()).toBe(false);
      expect(tf.memory().numTensors).toBe(before);
      x.dispose();
    });

    test("a gradient within a gradient is refused", () => {
      const x = tf.scalar(1);
      const inner = (): tf.Scalar => valueAndGradients(() => tf.square(x), [x]).value;
      expect(() => valueAndGradients(inner, [x])).toThrow(/within another gradient/);
      x.dispose();
    });
  });
});
