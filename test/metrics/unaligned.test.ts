import { beforeAll, expect, test } from "vitest";
import { perplexity } from "../../src/metrics/perplexity.js";
import { measureUnaligned, restoredShare } from "../../src/metrics/unaligned.js";
import { GPT2 } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { randomNeurons } from "../../src/toxicity/random.js";
import { unalign } from "../../src/toxicity/unalign.js";
import { expectNoneLeft } from "../none-left.js";

let model: GPT2;
beforeAll(async () => {
  await openBackend("wasm");
  model = await GPT2.load("test/fixtures/tiny-gpt2");
});
const ids = [5, 6, 7, 1, 9, 8, 40, 41, 42, 43, 2, 3];

test("each setting is measured on a model un-aligned by it alone", async () => {
  const settings = [2, 10].map((scale) => ({ neurons: randomNeurons(model, 5, scale), scale }));
  const seen: [number, number][] = [];
  const found = await measureUnaligned(model, settings, (changed) => perplexity(changed, ids), {
    onProgress: (done, total) => seen.push([done, total]),
  });
  for (const [i, { neurons, scale }] of settings.entries()) {
    const alone = await unalign(model, neurons, scale);
    expect(found[i]).toBe(await perplexity(alone, ids));
    alone.dispose();
  }
  expect(seen).toEqual([
    [1, 2],
    [2, 2],
  ]);
});

test("nothing is left in memory, not even when a measurement fails", async () => {
  const settings = [{ neurons: randomNeurons(model, 3, 1), scale: 4 }];
  await expectNoneLeft(async () => {
    await measureUnaligned(model, settings, (changed) => perplexity(changed, ids));
    await expect(
      measureUnaligned(model, settings, () => Promise.reject(new Error("no scorer"))),
    ).rejects.toThrow("no scorer");
  });
});

test("the restored share is 0 at the aligned model, 1 at the one before, and goes beyond both", () => {
  const models = { before: 0.7, after: 0.2 };
  expect(restoredShare(0.2, models)).toBe(0);
  expect(restoredShare(0.7, models)).toBe(1);
  expect(restoredShare(0.45, models)).toBeCloseTo(0.5, 12);
  expect(restoredShare(0.1, models)).toBeLessThan(0);
  expect(restoredShare(0.9, models)).toBeGreaterThan(1);
  expect(restoredShare(0.3, { before: 0.2, after: 0.2 })).toBeNaN();
});
