import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { lastActivations } from "../../src/toxicity/activations.js";
import { decomposeMlps, decomposeResidual } from "../../src/toxicity/decomposition.js";
import { meanResiduals } from "../../src/toxicity/features.js";
import { likeliestNextTokens } from "../../src/toxicity/next-tokens.js";
import { measurePromotion } from "../../src/toxicity/promotion.js";
import { readValueVectors } from "../../src/toxicity/value-vectors.js";

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

  it("adds up: embeddings and all that blocks write are the final residual stream", async () => {
    const { updates, largestError, largestValue } = await decomposeResidual(model, sequences);
    expect(updates.map(({ kind }) => kind)).toEqual([
      "embedding",
      "embedding",
      ...["attention", "mlp", "attention", "mlp", "attention", "mlp"],
    ]);
    expect(updates.every(({ meanNorm }) => meanNorm > 0)).toBe(true);
    expect(largestError / largestValue).toBeLessThan(1e-6);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("adds up neuron by neuron: an MLP writes the weighted sum of its value vectors", async () => {
    const mlps = await decomposeMlps(model, sequences[0] as number[]);
    expect(mlps.map(({ layer }) => layer)).toEqual([0, 1, 2]);
    for (const { written, rebuilt, largestError } of mlps) {
      expect(largestError).toBeLessThan(1e-6);
      expect(Math.max(...written.map(Math.abs))).toBeGreaterThan(1e-4);
      rebuilt.forEach((x, j) => expect(x).toBeCloseTo(written[j] as number, 6));
    }
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("reads the same coefficients in batches of unequal length", async () => {
    const [first] = await decomposeMlps(model, sequences[0] as number[]);
    const neurons = [
      { layer: 0, neuron: 7 },
      { layer: 2, neuron: 3 },
    ];
    const texts = [[1], sequences[0] as number[], [4, 4, 4, 4, 4, 4, 4]];
    const [a, b] = (await lastActivations(model, texts, neurons, { batchSize: 2 })) as [
      Float64Array,
      Float64Array,
    ];
    expect(a[1]).toBeCloseTo(first?.coefficients[7] as number, 6);
    const third = (await decomposeMlps(model, texts[2] as number[]))[2];
    expect(b[2]).toBeCloseTo(third?.coefficients[3] as number, 6);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("averages the last layer over real positions only, whatever shares the batch", async () => {
    const texts = [[1, 2], [5], [7, 8, 9, 10, 11, 12]];
    for (const stream of ["pre-ln_f", "post-ln_f"] as const) {
      const together = await meanResiduals(model, texts, { stream });
      for (const [row, ids] of texts.entries()) {
        const alone = await meanResiduals(model, [ids], { stream });
        alone.values.forEach((x, j) => expect(together.values[row * 12 + j]).toBeCloseTo(x, 5));
      }
    }
    await expect(meanResiduals(model, [[1], []])).rejects.toThrow("text 1 is empty");
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("promotes what E v says: nearly so from the last layer, and not at all when nothing is added", async () => {
    const [vector] = (await readValueVectors(model, [{ layer: 2, neuron: 5 }])) as [Float64Array];
    const texts = [[1, 2, 3], [4]];
    const pushed = await measurePromotion(model, texts, { layer: 2, vector, scale: 1 });
    expect(pushed.correlation).toBeGreaterThan(0.9);
    expect(pushed.probabilityRatio).toBeGreaterThan(1);
    const still = await measurePromotion(model, texts, { layer: 2, vector, scale: 0 });
    expect(Math.max(...still.measured.map(Math.abs))).toBe(0);
    expect(still.probabilityRatio).toBe(1);
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
