import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  componentShares,
  meanShift,
  type ModelPair,
  otherLayers,
  shiftMeans,
  sublayersToDraw,
  valueVectorShifts,
} from "../../src/analysis/index.js";
import { meansAt } from "../../src/analysis/mean-at-hooks.js";
import type { GPT2 } from "../../src/model/index.js";
import { cosine, dot } from "../../src/tensors/vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { disposePair, plainActivations, PROMPTS, tinyPair } from "./cases.js";

/** Mean over every position of every text, text by text. */
async function plainMean(model: GPT2, name: string): Promise<number[]> {
  const rows: number[][] = [];
  for (const prompt of PROMPTS) rows.push(...(await plainActivations(model, prompt, name)));
  return rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
}

/** Mean over every position of one batch of all texts, pads included, as the official code takes it. */
async function paddedMean(model: GPT2, name: string): Promise<number[]> {
  const { logits, cache } = model.runWithCache(PROMPTS, { names: name, padding: "masked" });
  logits.dispose();
  const rows = ((await cache.at(name).array()) as number[][][]).flat();
  cache.dispose();
  return rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / rows.length);
}

onEachBackend(({ slow }) => {
  const digits = slow ? 3 : 5;
  const POINTS = ["hook_pos_embed", "blocks.0.mlp.hook_post", "blocks.2.hook_resid_mid"];

  describe.each(["none", "folded"] as const)("with weights %s", (processing) => {
    let models: ModelPair;
    beforeAll(async () => {
      models = await tinyPair(processing);
    });
    afterAll(() => disposePair(models));

    test("means are over all real positions, or over all positions of the padded texts, in any batches", async () => {
      const corrected = await meansAt(models.after, PROMPTS, POINTS, { batchSize: 2 });
      const published = await meansAt(models.after, PROMPTS, POINTS, {
        batchSize: 2,
        positions: "as-published",
      });
      for (const name of POINTS) {
        const [plain, padded] = [await plainMean(models.after, name), await paddedMean(models.after, name)];
        corrected.get(name)!.forEach((value, d) => expect(value).toBeCloseTo(plain[d]!, digits));
        published.get(name)!.forEach((value, d) => expect(value).toBeCloseTo(padded[d]!, digits));
      }
    });

    test.each(["as-published", "corrected"] as const)(
      "what each component carries of the shift adds up to 1, %s",
      async (positions) => {
        const means = await shiftMeans(models, PROMPTS, 2, { positions, batchSize: 3 });
        for (const layer of [0, 1, 2]) {
          const shares = componentShares(means, layer);
          expect(shares).toHaveLength(2 + 2 * layer);
          expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, slow ? 2 : 4);
        }
      },
    );

    test("an MLP's share is what its value vectors, its activations and its bias make of it", async () => {
      const means = await shiftMeans(models, PROMPTS, 2);
      const shares = componentShares(means, 2);
      for (const shift of await valueVectorShifts(models, means, 2)) {
        const own = shares.find(({ component, layer }) => component === "MLP" && layer === shift.layer)!;
        expect(shift.fromVectors + shift.fromActivations + shift.fromBias).toBeCloseTo(
          own.share,
          slow ? 2 : 4,
        );
      }
    });

    test("cosines and contributions are those of the value vectors one by one", async () => {
      const means = await shiftMeans(models, PROMPTS, 2);
      const delta = meanShift(means, 2);
      const [first] = await valueVectorShifts(models, means, 2);
      const { dMlp, dModel } = models.before.config;
      const rows = await Promise.all(
        [models.before, models.after].map((model) => model.weight("h.0.mlp.c_proj.weight").data()),
      );
      const activations = await plainMean(models.after, "blocks.0.mlp.hook_post");
      let total = 0;
      for (let i = 0; i < dMlp; i += 1) {
        const change = Array.from(
          { length: dModel },
          (_, d) => rows[1]![i * dModel + d]! - rows[0]![i * dModel + d]!,
        );
        expect(first!.cosines[i]).toBeCloseTo(cosine(change, delta), 9);
        expect(first!.after[i]).toBeCloseTo(activations[i]!, digits);
        total += activations[i]! * dot(change, delta);
      }
      expect(first!.fromVectors).toBeCloseTo(total / dot(delta, delta), slow ? 2 : 4);
    });

    test("no tensor is left behind", async () => {
      await expectNoneLeft(async () => {
        const means = await shiftMeans(models, PROMPTS, 2, { positions: "as-published", batchSize: 2 });
        await valueVectorShifts(models, means, 1);
      });
    });
  });

  test("two models that are the same are no shift, and nothing divides by it", async () => {
    const { before, after } = await tinyPair();
    const means = await shiftMeans({ before, after: before }, PROMPTS.slice(0, 1), 1);
    expect(componentShares(means, 1).every(({ share }) => share === 0)).toBe(true);
    const [shift] = await valueVectorShifts({ before, after: before }, means, 1);
    expect([...shift!.cosines].every((value) => value === 0)).toBe(true);
    expect([shift!.fromVectors, shift!.fromActivations, shift!.fromBias]).toEqual([0, 0, 0]);
    disposePair({ before, after });
  });

  test("no prompts and layers without MLPs below are refused in one line", async () => {
    const models = await tinyPair();
    await expect(shiftMeans(models, [], 1)).rejects.toThrow("got no prompts: expected at least one");
    await expect(shiftMeans(models, PROMPTS, 3)).rejects.toThrow("layer 3, expected 0 to 2");
    const means = await shiftMeans(models, PROMPTS, 1);
    await expect(valueVectorShifts(models, means, 0)).rejects.toThrow("layer 0 has no MLP below it");
    await expect(valueVectorShifts(models, means, 2)).rejects.toThrow("layer 2, expected 0 to 1");
    disposePair(models);
  });
});

test("the sublayers that are drawn are the published ones where the paper's are published", () => {
  expect(sublayersToDraw(18)).toEqual([0, 2, 4, 6, 8, 9, 11, 13, 15, 17]);
  expect(sublayersToDraw(4)).toEqual([0, 1, 2, 3]);
  expect(sublayersToDraw(1)).toEqual([0]);
  expect(sublayersToDraw(0)).toEqual([]);
});

test("layers for appendix C are spread over those with an MLP below, fewer in a shallow model", () => {
  expect(otherLayers({ nLayer: 6 }, 4)).toEqual([1, 2, 3, 5]);
  expect(otherLayers({ nLayer: 3 }, 1)).toEqual([2]);
  expect(otherLayers({ nLayer: 1 }, 0)).toEqual([]);
});
