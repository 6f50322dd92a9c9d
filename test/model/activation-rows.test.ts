import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { activationRows, GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";

/** Of unequal lengths. */
const TEXTS = [[5, 6, 7], [1], [9, 8], [40, 41, 42, 43, 44], [2, 3]];
const POINT = "blocks.1.hook_resid_mid";

onEachBackend(({ slow }) => {
  const digits = slow ? 3 : 5;
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load("test/fixtures/tiny-gpt2");
  });

  /** An activation of one text, in a plain pass over all of it: `[position][width]`. */
  async function plain(ids: number[], name: string): Promise<number[][]> {
    const { logits, cache } = model.runWithCache([ids], { names: name });
    const [rows] = (await cache.at<tf.Tensor3D>(name).array()) as [number[][]];
    cache.dispose();
    logits.dispose();
    return rows;
  }

  test("rows are those of a plain pass over each text, in the order of the texts, whatever the batches", async () => {
    const done: number[] = [];
    const rows = await activationRows<number[]>(
      model,
      TEXTS,
      { names: POINT, positions: -1, batchSize: 2, onProgress: (part) => done.push(part) },
      (cache) => tf.squeeze(cache.at(POINT), [1]),
    );
    for (const [i, ids] of TEXTS.entries()) {
      const expected = (await plain(ids, POINT)).at(-1)!;
      rows[i]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, digits));
    }
    expect(done).toEqual([2, 4, 5]);
  });

  test("what is read knows the batch, and may be behind the last block", async () => {
    const name = "ln_final.hook_normalized";
    const sums = await activationRows<number>(model, TEXTS, { names: [name] }, (cache, batch) => {
      const x = cache.at<tf.Tensor3D>(name);
      const width = x.shape[1];
      const own = batch.map((ids) =>
        Array.from({ length: width }, (_, i) => Number(i >= width - ids.length)),
      );
      return tf.sum(tf.mul(x, tf.expandDims(tf.tensor2d(own), 2)), [1, 2]);
    });
    for (const [i, ids] of TEXTS.entries()) {
      const expected = (await plain(ids, name)).flat().reduce((sum, value) => sum + value, 0);
      expect(sums[i]).toBeCloseTo(expected, digits - 1);
    }
  });

  test("nothing is left in memory, also when the reading fails", async () => {
    await expectNoneLeft(async () => {
      await activationRows(model, TEXTS, { names: POINT }, (cache) => tf.mean(cache.at(POINT), [1, 2]));
      const wrong = activationRows(model, TEXTS, { names: POINT }, (cache) => tf.mean(cache.at(POINT)));
      await expect(wrong).rejects.toThrow("read [] of 5 texts, expected one row per text, [5, …]");
    });
  });

  test("no texts, an empty one, and a hook point that is none are refused in one line", async () => {
    const of = (texts: number[][], names = POINT): Promise<unknown> =>
      activationRows(model, texts, { names }, (cache) => cache.at(names));
    await expect(of([])).rejects.toThrow("activations of no texts: expected at least one");
    await expect(of([[1], []])).rejects.toThrow("text 1 is empty: expected at least one token");
    await expect(of([[1]], "blocks.9.hook_resid_mid")).rejects.toThrow(
      "unknown hook: blocks.9.hook_resid_mid",
    );
  });
});
