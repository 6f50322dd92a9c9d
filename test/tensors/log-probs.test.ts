import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import { tokenLogProbs } from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { logSoftmaxOf, relativeError, valuesOf } from "../model/cases.js";
import { product, transposed } from "../referee/ops.js";

const [ROWS, WIDTH, VOCAB] = [7, 5, 11];

function inputs(seed: number): {
  hidden: Float64Array;
  table: Float64Array;
  bias: Float64Array;
  targets: number[];
} {
  const normal = gaussian(seed);
  const values = (count: number): Float64Array =>
    Float64Array.from({ length: count }, () => Math.fround(normal()));
  const targets = Array.from({ length: ROWS }, (_, row) => (row * 4) % VOCAB);
  return { hidden: values(ROWS * WIDTH), table: values(VOCAB * WIDTH), bias: values(VOCAB), targets };
}

onEachBackend(({ runs }) => {
  test("however few logits are held at a time, log-probabilities are those of float64", async () => {
    const chunk = fc.oneof(
      fc.constantFrom(1, VOCAB, 2 * VOCAB, 3 * VOCAB - 1, ROWS * VOCAB),
      fc.integer({ min: 1, max: 100 }),
    );
    await fc.assert(
      fc.asyncProperty(chunk, fc.boolean(), fc.integer(), async (size, biased, seed) => {
        const { hidden, table, bias, targets } = inputs(seed);
        const logits = product(hidden, transposed(table, VOCAB, WIDTH), {
          rows: ROWS,
          inner: WIDTH,
          columns: VOCAB,
        });
        const all = logSoftmaxOf(biased ? logits.map((x, i) => x + bias[i % VOCAB]!) : logits, VOCAB);
        const before = tf.memory().numTensors;
        const tensors = [
          tf.tensor2d(Float32Array.from(hidden), [ROWS, WIDTH]),
          tf.tensor2d(Float32Array.from(table), [VOCAB, WIDTH]),
          tf.tensor1d(targets, "int32"),
          tf.tensor1d(Float32Array.from(bias)),
        ] as const;
        const picked = tokenLogProbs(
          tensors[0],
          tensors[1],
          tensors[2],
          biased ? tensors[3] : undefined,
          size,
        );
        expect(tf.memory().numTensors).toBe(before + 5);
        const expected = targets.map((target, row) => all[row * VOCAB + target]!);
        expect(relativeError(await valuesOf(picked), expected)).toBeLessThan(1e-5);
        tf.dispose([...tensors]);
      }),
      { numRuns: runs(40) },
    );
  });
});
