import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { activeShares, crispVectors, leadership } from "../../src/lab/mechanism.js";
import { GPT2, type GPT2Config } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { SMALL } from "../model/folders.js";

beforeAll(async () => void (await openBackend("wasm")));

const WIDE: GPT2Config = { ...SMALL, dModel: 64, dHead: 32, dMlp: 256 };

/** A random model in which some value vectors are others. */
async function planted(
  config: GPT2Config,
  vectors: { layer: number; neuron: number; vector: Float32Array }[],
) {
  const model = GPT2.random(config, 7);
  for (const { layer, neuron, vector } of vectors) {
    const name = `h.${layer}.mlp.c_proj.weight`;
    const before = model.weight(name);
    const rows = Float32Array.from(await before.data());
    rows.set(vector, neuron * config.dModel);
    model.setWeight(name, tf.tensor2d(rows, [config.dMlp, config.dModel]));
    before.dispose();
  }
  return model;
}

const axis = Float32Array.from({ length: WIDE.dModel }, (_, i) => (i === 3 ? 2 : 0));

describe("the leading value vector", () => {
  test("is found in whichever layer it is, and stands out from what random directions find", async () => {
    const model = await planted(WIDE, [{ layer: 1, neuron: 200, vector: axis }]);
    const found = await leadership(model, axis, { directions: 500 });
    expect(found).toMatchObject({ layer: 1, neuron: 200, directions: 500, valueVectors: 512 });
    expect(found.cosine).toBeCloseTo(1, 6);
    // 512 random vectors of 64 numbers: the best of them for a random direction, in the worst of a hundred.
    expect(found.chance).toBeGreaterThan(0.38);
    expect(found.chance).toBeLessThan(0.62);
    expect(found.ratio).toBeCloseTo(found.cosine / found.chance, 9);
    model.dispose();
  });

  test("of a direction that nothing was planted for is no more than chance", async () => {
    const model = GPT2.random(WIDE, 7);
    expect((await leadership(model, axis, { directions: 500 })).ratio).toBeLessThan(1.05);
    model.dispose();
  });

  test("a vector that points the other way does not lead", async () => {
    const opposite = axis.map((x) => -x);
    const model = await planted(WIDE, [{ layer: 0, neuron: 5, vector: opposite }]);
    expect(await leadership(model, axis, { directions: 10 })).not.toMatchObject({ layer: 0, neuron: 5 });
    model.dispose();
  });
});

describe("value vectors that say offensive words", () => {
  /** Ids 0 to 4 count as offensive. */
  const offensive = Array.from({ length: SMALL.vocabSize }, (_, id) => id < 5);

  test("are those with so many of them among their likeliest tokens", async () => {
    const config: GPT2Config = { ...WIDE, vocabSize: 200, bosTokenId: 199, eosTokenId: 199 };
    const bare = GPT2.random(config, 7);
    const embeddings = await bare.unembedding.data();
    bare.dispose();
    const sumOf = (ids: number[]) =>
      Float32Array.from({ length: config.dModel }, (_, i) =>
        ids.reduce((sum, id) => sum + (embeddings[id * config.dModel + i] as number), 0),
      );
    const model = await planted(config, [
      { layer: 0, neuron: 9, vector: sumOf([0, 1, 2, 3, 4]) },
      { layer: 1, neuron: 3, vector: sumOf([0, 1, 2, 50, 51]) },
    ]);
    const found = await crispVectors(model, offensive);
    expect(found).toEqual([{ layer: 0, neuron: 9, offensive: 5 }]);
    const fewer = await crispVectors(model, offensive, { count: 3 });
    expect(fewer).toContainEqual({ layer: 1, neuron: 3, offensive: 3 });
    model.dispose();
  });

  test("there are none where no token is offensive", async () => {
    const model = GPT2.random(SMALL);
    expect(await crispVectors(model, [])).toEqual([]);
    model.dispose();
  });
});

describe("how often neurons are active", () => {
  test("is read behind layer norm and bias: a bias decides it", async () => {
    const model = GPT2.random(SMALL, 2);
    const bias = Float32Array.from({ length: SMALL.dMlp }, (_, i) => (i === 0 ? 50 : i === 1 ? -50 : 0));
    const before = model.weight("h.1.mlp.c_fc.bias");
    model.setWeight("h.1.mlp.c_fc.bias", tf.tensor1d(bias));
    before.dispose();
    const [, second] = await activeShares(model, [[1, 2, 3], [4], [5, 6]], "all");
    expect(second?.[0]).toBe(1);
    expect(second?.[1]).toBe(0);
    model.dispose();
  });

  test("counts every token of every text once, and of the last ones only those, whatever shares a batch", async () => {
    const model = GPT2.random(SMALL, 2);
    const texts = [[1, 2, 3, 4, 5], [6], [7, 8], [9, 10, 11]];
    for (const positions of ["all", "last"] as const) {
      const expected = new Float64Array(SMALL.dMlp);
      let tokens = 0;
      for (const text of texts) {
        const { logits, cache } = model.runWithCache([text], { names: "blocks.0.mlp.hook_post" });
        const post = await cache.at<tf.Tensor3D>("blocks.0.mlp.hook_post").array();
        for (const row of positions === "all" ? (post[0] ?? []) : (post[0] ?? []).slice(-1)) {
          row.forEach((m, neuron) => (expected[neuron] = (expected[neuron] as number) + (m > 0 ? 1 : 0)));
          tokens += 1;
        }
        logits.dispose();
        cache.dispose();
      }
      const [first] = await activeShares(model, texts, positions, { batchSize: 3 });
      expect(Array.from(first ?? [])).toEqual(
        Array.from(expected, (count) => expect.closeTo(count / tokens, 9)),
      );
    }
    model.dispose();
  });
});
