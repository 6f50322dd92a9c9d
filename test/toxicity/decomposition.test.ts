import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { lastActivations } from "../../src/toxicity/activations.js";
import { geluNew, readMlp } from "../../src/toxicity/mlp.js";
import { likeliestNextTokens } from "../../src/toxicity/next-tokens.js";
import { promotionOf } from "../../src/toxicity/promotion.js";
import { dot } from "../../src/tensors/vectors.js";

const config = {
  nLayer: 3,
  nHead: 2,
  nPositions: 16,
  vocabSize: 90,
  dModel: 12,
  dHead: 6,
  dMlp: 40,
  layerNormEpsilon: 1e-5,
  bosTokenId: 89,
  eosTokenId: 89,
};
const sequences = [
  [3, 14, 15, 9, 2],
  [6, 5, 35, 8, 9],
];

describe("the model taken apart", () => {
  let model: GPT2;
  let tensors: number;

  beforeAll(async () => {
    await openBackend("wasm");
    model = GPT2.random(config, 1);
    tensors = tf.memory().numTensors;
  });

  /** The coefficients m_i and the output of an MLP at the last position of a text, by the definition in float64. */
  const byDefinition = async (layer: number, ids: readonly number[]) => {
    const point = `blocks.${layer}.hook_resid_mid`;
    const { residual, cache } = model.runWithCache([ids], {
      names: point,
      positions: -1,
      stopAtLayer: layer + 1,
    });
    const { normalise, keys, keyBiases, values, bias } = await readMlp(model, layer);
    const x = normalise(await cache.at(point).data());
    tf.dispose(residual);
    cache.dispose();
    const m = keys.map((key, i) => geluNew(dot(x, key) + (keyBiases[i] as number)));
    const written = bias.map((b, j) =>
      values.reduce((sum, v, i) => sum + (m[i] as number) * (v[j] as number), b),
    );
    return { m, written };
  };

  it("adds up neuron by neuron: an MLP writes the weighted sum of its value vectors", async () => {
    for (const layer of [0, 1, 2]) {
      const ids = sequences[0] as number[];
      const { written } = await byDefinition(layer, ids);
      const point = `blocks.${layer}.hook_mlp_out`;
      const { residual, cache } = model.runWithCache([ids], {
        names: point,
        positions: -1,
        stopAtLayer: layer + 1,
      });
      const output = await cache.at(point).data();
      expect(Math.max(...output.map(Math.abs))).toBeGreaterThan(1e-4);
      written.forEach((x, j) => expect(x).toBeCloseTo(output[j] as number, 6));
      tf.dispose(residual);
      cache.dispose();
    }
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("reads the same coefficients in batches of unequal length", async () => {
    const neurons = [
      { layer: 0, neuron: 7 },
      { layer: 2, neuron: 3 },
    ];
    const texts = [[1], sequences[0] as number[], [4, 4, 4, 4, 4, 4, 4]];
    const [a, b] = (await lastActivations(model, texts, neurons, { batchSize: 2 })) as [
      Float64Array,
      Float64Array,
    ];
    expect(a[1]).toBeCloseTo((await byDefinition(0, texts[1] as number[])).m[7] as number, 6);
    expect(b[2]).toBeCloseTo((await byDefinition(2, texts[2] as number[])).m[3] as number, 6);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("names the likeliest next tokens with their probabilities", async () => {
    const tokenizer = { tokenText: (id: number) => `t${id}` };
    const tokens = await likeliestNextTokens(model, tokenizer, [1, 2, 3], { count: 90 });
    expect(tokens.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
    expect(tokens.map(({ score }) => score)).toEqual(tokens.map(({ score }) => score).sort((a, b) => b - a));
    expect(tokens[0]?.token).toBe(`t${tokens[0]?.id}`);
  });
});

describe("promotionOf", () => {
  const before = [
    [0, 1, 2],
    [1, 1, 0],
  ];

  it("finds a change of the logits that was foretold, up to what all tokens share", () => {
    const predicted = [2, -1, 0];
    const after = before.map((logits) => logits.map((x, w) => x + (predicted[w] as number) + 5));
    const { promoted, measured, correlation, promotedChange, probabilityRatio } = promotionOf(
      predicted,
      before,
      after,
      {
        count: 1,
      },
    );
    expect(promoted).toEqual([0]);
    expect([...measured]).toEqual([7, 4, 5]);
    expect(correlation).toBeCloseTo(1, 12);
    const softmax = (logits: readonly number[]) =>
      Math.exp(logits[0] as number) / logits.reduce((sum, x) => sum + Math.exp(x), 0);
    const changes = before.map((logits, i) => Math.log(softmax(after[i] as number[]) / softmax(logits)));
    const mean = changes.reduce((sum, change) => sum + change / 2, 0);
    expect(promotedChange).toBeCloseTo(mean, 12);
    expect(probabilityRatio).toBeCloseTo(Math.exp(mean), 12);
  });

  it("says that nothing has changed where nothing has", () => {
    const { measured, promotedChange, probabilityRatio } = promotionOf([3, 2, 1], before, before, {
      count: 2,
    });
    expect([...measured]).toEqual([0, 0, 0]);
    expect([promotedChange, probabilityRatio]).toEqual([0, 1]);
  });
});
