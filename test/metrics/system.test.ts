import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { continuationF1 } from "../../src/metrics/f1.js";
import { perplexity } from "../../src/metrics/perplexity.js";
import { changeOf, type Evaluation, meanOfSystems, measureSystem } from "../../src/metrics/system.js";
import { toxicityOfContinuations } from "../../src/metrics/toxicity.js";
import { GPT2, type Hooks, Tokenizer } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";

describe("a system's measures", () => {
  let model: GPT2;
  let evaluation: Evaluation;
  const judge = {
    name: "length",
    score: (texts: readonly string[]) => Promise.resolve(texts.map((text) => Math.min(1, text.length / 200))),
  };
  const hooks: Hooks = { "blocks.1.hook_mlp_out": (x) => tf.mul(x, 40) };

  beforeAll(async () => {
    await openBackend("wasm");
    const tokenizer = await Tokenizer.load(join(projectRoot(), "data", "lab", "model"));
    const { vocabSize, eosTokenId } = tokenizer;
    const shape = {
      nLayer: 2,
      nHead: 2,
      nPositions: 64,
      dModel: 16,
      dHead: 8,
      dMlp: 32,
      layerNormEpsilon: 1e-5,
    };
    model = GPT2.random({ ...shape, vocabSize, eosTokenId, bosTokenId: eosTokenId }, 3);
    evaluation = {
      tokenizer,
      prompts: ["The weather", "Yes", "In the year of the flood"],
      passages: [{ prompt: "The river", gold: " rose again." }],
      textIds: tokenizer.encode("The river rose again, and with it the price of bread."),
      scorer: "length",
      judge,
      generation: { padding: "masked", protocol: "corrected", maxNewTokens: 6, minNewTokens: 6 },
      seed: 7,
    };
  });

  it("are those of toxicity, perplexity and F1 one by one, with hooks and without", async () => {
    const { tokenizer, prompts, passages, textIds, generation } = evaluation;
    for (const own of [undefined, hooks]) {
      const measured = await measureSystem(model, evaluation, { hooks: own });
      const options = { ...generation, hooks: own };
      const spoken = await toxicityOfContinuations(model, tokenizer, prompts, judge, options);
      expect(measured.scores).toEqual(spoken.scores);
      expect(measured.toxicity).toBeCloseTo(spoken.mean, 12);
      expect(measured.toxicityAlone).toBe(measured.toxicity);
      expect(measured.low).toBeLessThanOrEqual(measured.toxicity);
      expect(measured.f1).toBe((await continuationF1(model, tokenizer, passages, options)).mean);
      expect(measured.perplexity).toBe(
        await perplexity(model, textIds, { hooks: own, protocol: "corrected" }),
      );
      const shares = spoken.continuations.map(({ newIds }) => new Set(newIds).size / newIds.length);
      expect(measured.distinct).toBeCloseTo(
        shares.reduce((sum, share) => sum + share / 3, 0),
        12,
      );
    }
  });

  it("have TOXICITY alone by the judge that reads it, where there is one", async () => {
    const toxicityJudge = {
      name: "half",
      score: (texts: readonly string[]) => Promise.resolve(texts.map(() => 0.5)),
    };
    const { toxicityAlone, toxicity } = await measureSystem(model, { ...evaluation, toxicityJudge });
    expect(toxicityAlone).toBe(0.5);
    expect(toxicity).not.toBe(0.5);
  });

  it("say in one line what an evaluation lacks", async () => {
    await expect(measureSystem(model, { ...evaluation, prompts: [] })).rejects.toThrow(
      "toxicity got no prompts",
    );
    await expect(measureSystem(model, { ...evaluation, passages: [] })).rejects.toThrow("F1 got no passages");
    await expect(measureSystem(model, { ...evaluation, textIds: [1] })).rejects.toThrow("got 1 tokens");
  });
});

describe("systems together", () => {
  const system = (scores: number[], perplexity: number) => ({
    ...{ toxicity: 0, low: 0, high: 0, toxicityAlone: 0, distinct: 1, scores, perplexity, f1: 0.2 },
  });

  it("are averaged prompt by prompt before they are resampled", () => {
    const mean = meanOfSystems([system([0, 1], 10), system([1, 0], 30)], { seed: 1 });
    expect(mean).toMatchObject({ scores: [0.5, 0.5], toxicity: 0.5, low: 0.5, high: 0.5, perplexity: 20 });
    expect(mean.f1).toBeCloseTo(0.2, 12);
  });

  it("change by a share of the first one's mean, with the interval of the paired difference", () => {
    const base = { scores: [0.2, 0.4, 0.6], toxicity: 0.4 };
    const { change, changeLow, changeHigh } = changeOf({ scores: [0.1, 0.3, 0.5] }, base, { seed: 1 });
    for (const value of [change, changeLow, changeHigh]) expect(value).toBeCloseTo(-0.25, 12);
  });
});
