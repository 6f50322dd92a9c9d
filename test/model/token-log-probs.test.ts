import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gaussian, gradientsOf, type GPT2 } from "../../src/model/index.js";
import { oneHot, pickLogProb } from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { CASES, modelOf, relativeError, valuesOf } from "./cases.js";

onEachBackend(({ some }) => {
  describe.each(some(CASES))("$name", (own) => {
    const { config, weights, sequences, even } = own;
    let model: GPT2;
    let folded: GPT2;
    beforeAll(() => {
      model = modelOf(own);
      folded = model.processed("folded");
    });
    afterAll(() => {
      folded.dispose();
      model.dispose();
    });

    const inFloat64 = (padding: "masked" | "as-published"): { values: number[]; real: boolean[] } => {
      const { logProbs, batch } = forward(weights, config, layOut(sequences, config, padding));
      const { positions } = batch;
      const rows = batch.ids.map((_, row) => row).filter((row) => row % positions < positions - 1);
      return {
        values: rows.map((row) => logProbs.values[row * config.vocabSize + batch.ids[row + 1]!]!),
        real: rows.map((row) => row % positions >= batch.pads[Math.floor(row / positions)]!),
      };
    };

    test.each(some(["masked", "as-published"] as const))(
      "each token's, given those before it: padding %s",
      async (padding) => {
        const { values, real } = inFloat64(padding);
        for (const which of [model, folded]) {
          const measured = which.tokenLogProbs(sequences, { padding });
          expect(measured.shape).toEqual([3, 4]);
          const meant = (_: number, i: number): boolean => real[i]!;
          const own = (await valuesOf(measured)).filter(meant);
          expect(relativeError(own, values.filter(meant))).toBeLessThan(1e-5);
        }
      },
    );

    test("their gradient is that of the logits' log-softmax, a folded model's bias included", async () => {
      const normal = gaussian(4);
      const slopes = tf.tensor2d(Float32Array.from({ length: 6 }, normal), [2, 3]);
      const targets = even.flatMap((sequence) => sequence.slice(1));
      for (const which of some([folded, model])) {
        const fused = await gradientsOf(
          which,
          (options) => tf.sum(tf.mul(which.tokenLogProbs(even, options), slopes)),
          {
            parameters: "all",
          },
        );
        const plain = await gradientsOf(
          which,
          (options) => {
            const logits = tf.slice(which.forward(even, options), [0, 0, 0], [-1, 3, -1]);
            const chosen = oneHot(tf.tensor1d(targets, "int32"), config.vocabSize);
            const rows = tf.reshape(tf.logSoftmax(logits), [6, config.vocabSize]);
            return tf.sum(
              tf.mul(tf.sum(tf.mul(rows, tf.cast(chosen, "float32")), 1), tf.reshape(slopes, [6])),
            );
          },
          { parameters: "all" },
        );
        expect(Math.abs(fused.value - plain.value)).toBeLessThan(1e-4);
        for (const [name, gradient] of fused.parameters) {
          const expected = await plain.parameters.get(name)!.data();
          expect(relativeError(await gradient.data(), expected), name).toBeLessThan(1e-4);
        }
        fused.dispose();
        plain.dispose();
      }
      slopes.dispose();
    });

    test("logits that somebody else still reads are not overwritten by the gradient", async () => {
      const targets = tf.tensor1d([1, 2], "int32");
      const logits = tf.tensor2d([0, 1, 2, 3, 4, 5], [2, 3]);
      const gradient = tf.grad((x) => tf.sum(pickLogProb(x as tf.Tensor2D, targets)))(logits);
      expect([...(await logits.data())]).toEqual([0, 1, 2, 3, 4, 5]);
      tf.dispose([targets, logits, gradient]);
    });

    test("one token alone is refused", () => {
      expect(() => model.tokenLogProbs([[1]])).toThrow(
        "token log-probabilities: got 1 token, expected at least 2",
      );
    });
  });
});
