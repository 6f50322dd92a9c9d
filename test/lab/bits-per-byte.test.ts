import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { bitsPerByte } from "../../src/lab/bits-per-byte.js";
import { GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { SMALL } from "../model/folders.js";

/** A token per letter: a is 0, b is 1 and so on. */
const letters = { encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0) - 97) };

onEachBackend(() => {
  test("a model that knows nothing needs log2 of its vocabulary for each token, whatever the windows", async () => {
    const random = GPT2.random(SMALL);
    const model = random.withWeights(new Map([["wte.weight", tf.zeros([SMALL.vocabSize, SMALL.dModel])]]));
    const texts = ["abc", "", "abcdefghij".repeat(7), "a"];
    const { value, ...counted } = await bitsPerByte(model, letters, texts, { batchSize: 3 });
    expect(counted).toEqual({ texts: 3, bytes: 74, tokens: 74 });
    expect(value).toBeCloseTo(Math.log2(SMALL.vocabSize), 4);
    model.dispose();
    random.dispose();
  });

  test("bytes are those of UTF-8, not tokens or characters", async () => {
    const random = GPT2.random(SMALL);
    const model = random.withWeights(new Map([["wte.weight", tf.zeros([SMALL.vocabSize, SMALL.dModel])]]));
    const { value, bytes } = await bitsPerByte(model, { encode: () => [1, 2] }, ["€"]);
    expect(bytes).toBe(3);
    expect(value).toBeCloseTo((2 * Math.log2(SMALL.vocabSize)) / 3, 4);
    model.dispose();
    random.dispose();
  });

  test("every token is foretold from those before it in its window, the first from the beginning of text", async () => {
    const model = GPT2.random(SMALL, 4);
    const text = "hgfedcbaabcdefghijklm"; // two windows: 15 tokens and 6
    const ids = [SMALL.bosTokenId, ...letters.encode(text)];
    const windows = [ids.slice(0, 16), ids.slice(15)];
    let nats = 0;
    for (const window of windows) {
      const logits = await tf.logSoftmax(tf.squeeze(model.forward([window]), [0])).array();
      window.slice(1).forEach((id, i) => (nats -= ((logits as number[][])[i] as number[])[id] as number));
    }
    const { value } = await bitsPerByte(model, letters, [text]);
    expect(value).toBeCloseTo(nats / Math.LN2 / text.length, 4);
    model.dispose();
  });
});

test("no text at all is an error in one line", async () => {
  const model = GPT2.random(SMALL);
  await expect(bitsPerByte(model, letters, [""])).rejects.toThrow(UserError);
  model.dispose();
});
