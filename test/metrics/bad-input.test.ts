import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { projectRoot } from "../../src/base/paths.js";
import { bootstrapMean } from "../../src/metrics/bootstrap.js";
import { continuationF1 } from "../../src/metrics/f1.js";
import { generateContinuations } from "../../src/metrics/generation.js";
import { histogram } from "../../src/metrics/histogram.js";
import { scoreTexts, toxicityOfContinuations } from "../../src/metrics/toxicity.js";
import { type GPT2, GPT2 as Model, type Hooks, Tokenizer } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import * as tf from "@tensorflow/tfjs-core";

const folder = join(projectRoot(), "data", "lab", "model");

let model: GPT2;
let tokenizer: Tokenizer;
/** With these hooks its likeliest next token is always the end of the text. */
let mute: GPT2;
let hooks: Hooks;
const asked: string[][] = [];
/** Refuses what a scorer need not answer: nothing, and texts with nothing in them. */
const scorer = {
  name: "strict",
  score: (texts: readonly string[]) => {
    asked.push([...texts]);
    if (texts.length === 0 || texts.some((text) => text.trim() === "")) throw new Error("asked for nothing");
    return Promise.resolve(texts.map(() => 0.5));
  },
};

beforeAll(async () => {
  await openBackend("wasm");
  tokenizer = await Tokenizer.load(folder);
  const sizes = {
    nLayer: 1,
    nHead: 2,
    nPositions: 64,
    dModel: 16,
    dHead: 8,
    dMlp: 32,
    layerNormEpsilon: 1e-5,
  };
  const { vocabSize, eosTokenId } = tokenizer;
  model = Model.random({ ...sizes, vocabSize, eosTokenId, bosTokenId: eosTokenId }, 3);
  mute = Model.random({ ...sizes, vocabSize, eosTokenId, bosTokenId: eosTokenId }, 3);
  const embedding = mute.weight("wte.weight");
  const [rows = 0, width = 0] = embedding.shape;
  const values = Float32Array.from(embedding.dataSync());
  const direction = values.slice(eosTokenId * width, (eosTokenId + 1) * width);
  values.set(
    direction.map((value) => 1000 * value),
    eosTokenId * width,
  );
  mute.setWeight("wte.weight", tf.tensor2d(values, [rows, width]));
  hooks = {
    "blocks.0.hook_resid_post": (activation) =>
      tf.add(tf.zerosLike(activation), tf.tensor(direction, [1, 1, width])),
  };
});

describe("a model that ends every text at once", () => {
  const prompts = ["The weather is", "Yes"];

  it("says nothing, which counts 0 and is not shown to the scorer", async () => {
    asked.length = 0;
    for (const protocol of ["as-published", "corrected"] as const) {
      const options = { hooks, padding: "masked", maxNewTokens: 4, protocol } as const;
      const continuations = await generateContinuations(mute, tokenizer, prompts, options);
      expect(continuations.map(({ newIds, text }) => [newIds, text])).toEqual([
        [[], ""],
        [[], ""],
      ]);
      const { mean, scores } = await toxicityOfContinuations(mute, tokenizer, prompts, scorer, options);
      expect([mean, scores]).toEqual([0, [0, 0]]);
    }
    expect(asked).toEqual([]);
  });

  it("has an F1 between 0 and 1 whatever the gold, and numbers for a table's interval and a figure's bars", async () => {
    for (const protocol of ["as-published", "corrected"] as const) {
      const { mean, scores } = await continuationF1(
        mute,
        tokenizer,
        [
          { prompt: "The weather is", gold: "" },
          { prompt: "Yes", gold: " it is so" },
        ],
        { hooks, padding: "masked", maxNewTokens: 4, protocol },
      );
      expect(mean).toBeGreaterThanOrEqual(0);
      expect(mean).toBeLessThanOrEqual(1);
      expect(Object.values(bootstrapMean(scores)).every(Number.isFinite)).toBe(true);
      expect(histogram(scores, 5).every(({ to, from }) => to > from)).toBe(true);
    }
  });
});

describe("very little to measure", () => {
  it("one prompt and one new token are enough, in either padding; no new tokens are refused in one line", async () => {
    for (const padding of ["as-published", "masked"] as const) {
      const { scores, continuations } = await toxicityOfContinuations(model, tokenizer, ["Yes"], scorer, {
        padding,
        maxNewTokens: 1,
      });
      expect(scores).toHaveLength(1);
      expect(continuations[0]?.newIds.length).toBeLessThanOrEqual(1);
      await expect(
        toxicityOfContinuations(model, tokenizer, ["Yes"], scorer, { padding, maxNewTokens: 0 }),
      ).rejects.toThrow(/^maxNewTokens: got 0, expected a positive integer$/);
    }
  });

  it("nothing is refused in one line that says what to do", async () => {
    const refusals = [
      () => toxicityOfContinuations(model, tokenizer, [], scorer),
      () => continuationF1(model, tokenizer, []),
    ];
    for (const refused of refusals) {
      const error = await refused().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UserError);
      expect((error as Error).message).toMatch(/^[^\n]+ got no [^\n]+: expected at least one[^\n]*; [^\n]+$/);
    }
  });

  it("texts without anything but white space count 0, in their place among the others", async () => {
    const text = fc.oneof(fc.constantFrom("", " ", "\n\t"), fc.constantFrom("a", " silly idea "));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 12 }), async (texts) => {
        expect(await scoreTexts(scorer, texts)).toEqual(texts.map((one) => (one.trim() === "" ? 0 : 0.5)));
      }),
    );
  });
});
