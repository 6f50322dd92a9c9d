import { beforeAll, expect, test } from "vitest";
import { bootstrapMean } from "../../src/metrics/bootstrap.js";
import { lensBand, lensSteps } from "../../src/metrics/lens-band.js";
import { GPT2, logitLens } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { expectNoneLeft } from "../none-left.js";

let model: GPT2;
beforeAll(async () => {
  await openBackend("wasm");
  model = await GPT2.load("test/fixtures/tiny-gpt2");
});
const texts = [[5, 6, 7], [1], [9, 8], [40, 41, 42, 43], [2, 3]];

test("the band is the logit lens of each text, averaged, whatever the batch", async () => {
  const points = await lensBand(model, texts, 17, { batchSize: 2, seed: 3 });
  const alone = await Promise.all(texts.map((text) => logitLens(model, [text], 17)));
  expect(points.map(({ row }) => row)).toEqual(alone[0]!.rows);
  points.forEach((point, place) => {
    const own = alone.map(({ probabilities }) => probabilities[place]![0]!);
    const expected = bootstrapMean(own, { seed: 3 });
    for (const key of ["mean", "low", "high"] as const) expect(point[key]).toBeCloseTo(expected[key], 6);
    expect(point.examples).toBe(texts.length);
  });
});

test("steps alternate between a block's attention and its MLP and add up to the whole rise", async () => {
  const points = await lensBand(model, texts, 17);
  const steps = lensSteps(points);
  expect(steps.map(({ block, part }) => `${block} ${part}`)).toEqual(
    [0, 1, 2].flatMap((block) => [`${block} attention`, `${block} mlp`]),
  );
  expect(steps[1]!.to.row).toBe("1_pre");
  const total = steps.reduce((sum, { rise }) => sum + rise, 0);
  expect(total).toBeCloseTo(points.at(-1)!.mean - points[0]!.mean, 9);
});

test("no texts are refused, and nothing is left in memory", async () => {
  await expect(lensBand(model, [], 1)).rejects.toThrow("logit lens got no texts: expected at least one");
  await expectNoneLeft(() => lensBand(model, texts, 17));
});
