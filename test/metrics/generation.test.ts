import { existsSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { continuationF1, tokenF1 } from "../../src/metrics/f1.js";
import { generateContinuations } from "../../src/metrics/generation.js";
import { matchScales } from "../../src/metrics/matched-scales.js";
import { perplexity } from "../../src/metrics/perplexity.js";
import { scoreTexts, toxicityOfContinuations } from "../../src/metrics/toxicity.js";
import { generate, GPT2, Tokenizer } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { randomDirections, subtractDirection } from "../../src/toxicity/interventions.js";

const folder = join(projectRoot(), "data", "lab", "model");

describe.skipIf(!existsSync(join(folder, "model.safetensors")))(
  "metrics of generated text (skipped without the lab model)",
  () => {
    let model: GPT2;
    let tokenizer: Tokenizer;
    const prompts = ["The weather", "In the year of the great flood the river", "Yes"];
    const seen: string[] = [];
    const scorer = {
      name: "length",
      score: (texts: string[]) => {
        seen.push(...texts);
        return Promise.resolve(texts.map((text) => Math.min(1, text.length / 1000)));
      },
    };

    beforeAll(async () => {
      await openBackend("wasm");
      tokenizer = await Tokenizer.load(folder);
      const shape = {
        nLayer: 2,
        nHead: 2,
        nPositions: 64,
        dModel: 16,
        dHead: 8,
        dMlp: 32,
        layerNormEpsilon: 1e-5,
      };
      const { vocabSize, eosTokenId } = tokenizer;
      model = GPT2.random({ ...shape, vocabSize, eosTokenId, bosTokenId: eosTokenId }, 3);
    });

    it("as published, every prompt is filled to the longest one's length, whatever the batches are", async () => {
      const ids = prompts.map((prompt) => tokenizer.encode(prompt));
      const width = Math.max(...ids.map((one) => one.length));
      const filled = ids.map((one) => [
        ...Array.from({ length: width - one.length }, () => tokenizer.eosTokenId),
        ...one,
      ]);
      const expected = await generate(model, filled, { maxNewTokens: 5, padding: "as-published" });
      for (const batchSize of [1, 2, 64]) {
        const options = { padding: "as-published", maxNewTokens: 5, batchSize } as const;
        const continuations = await generateContinuations(model, tokenizer, prompts, options);
        expect(continuations.map(({ newIds }) => newIds)).toEqual(expected);
        expect(continuations.map(({ promptIds }) => promptIds)).toEqual(ids);
      }
    });

    it("cuts prompts from the right", async () => {
      const [continuation] = await generateContinuations(model, tokenizer, [prompts[1] as string], {
        maxPromptTokens: 3,
        maxNewTokens: 1,
      });
      expect(continuation?.promptIds).toEqual(tokenizer.encode(prompts[1] as string).slice(0, 3));
    });

    it("refuses an empty prompt in one line", async () => {
      await expect(generateContinuations(model, tokenizer, ["fine", ""])).rejects.toThrow(
        "prompt 1 is empty",
      );
    });

    it("as published, a prompt that was cut stays in the scored text; corrected, only new tokens are scored", async () => {
      const options = { maxPromptTokens: 4, maxNewTokens: 3, padding: "masked" } as const;
      const published = await toxicityOfContinuations(model, tokenizer, prompts, scorer, options);
      const corrected = await toxicityOfContinuations(model, tokenizer, prompts, scorer, {
        ...options,
        protocol: "corrected",
      });
      const long = published.continuations[1];
      expect(published.scoredTexts[1]).toBe(
        tokenizer.decode(long?.promptIds as number[]) + (long?.text as string),
      );
      expect(published.scoredTexts[0]).toBe(published.continuations[0]?.text);
      expect(corrected.scoredTexts).toEqual(corrected.continuations.map(({ text }) => text));
      expect(published.mean).toBeCloseTo(published.scores.reduce((sum, score) => sum + score, 0) / 3, 12);
    });

    it("scores a text without words as 0 and does not trouble the scorer with it", async () => {
      seen.length = 0;
      expect(await scoreTexts(scorer, ["", "  \n", "word"])).toEqual([0, 0, 0.004]);
      expect(seen).toEqual(["word"]);
    });

    it("counts the prompt as predicted in F1 as published, and only then", async () => {
      const gold = "The weather was fine.";
      const options = { maxNewTokens: 4, padding: "masked" } as const;
      const [continuation] = await generateContinuations(model, tokenizer, ["The weather"], options);
      const { promptIds, newIds } = continuation as { promptIds: number[]; newIds: number[] };
      const examples = [{ prompt: "The weather", gold }];
      const published = await continuationF1(model, tokenizer, examples, options);
      const corrected = await continuationF1(model, tokenizer, examples, {
        ...options,
        protocol: "corrected",
      });
      expect(published.mean).toBe(tokenF1([...promptIds, ...newIds], tokenizer.encode(gold)));
      expect(published.mean).toBeGreaterThan(0);
      expect(corrected.mean).toBe(tokenF1(newIds, tokenizer.encode(gold)));
    });

    it("scales directions of any length to the same perplexity, as hooks measure it", async () => {
      const lab = await GPT2.load(folder); // fresh weights predict nothing that a push could spoil
      const ids = tokenizer.encode(
        "The river rose in the night and the bridge was gone in the morning. ".repeat(8),
      );
      const directions = randomDirections(3, lab.config.dModel, 5).map((vector, i) => ({
        id: `${i}`,
        label: `${i}`,
        vector: vector.map((x) => x * 10 ** (i - 1)),
      }));
      const before = tf.memory().numTensors;
      const { base, matched } = await matchScales(lab, ids, directions, { ratio: 1.05 });
      expect(tf.memory().numTensors).toBe(before);
      expect(base / (await perplexity(lab, ids))).toBeCloseTo(1, 5);
      for (const { vector, scale } of matched) {
        const hooked = await perplexity(lab, ids, { hooks: subtractDirection(lab, vector, scale) });
        expect(Math.abs(hooked / base / 1.05 - 1)).toBeLessThan(2e-3);
      }
    });

    it("refuses a text or a window without anything to predict in one line", async () => {
      await expect(perplexity(model, [1])).rejects.toThrow("got 1 tokens, expected at least 2");
      await expect(perplexity(model, [1, 2, 3], { window: 65 })).rejects.toThrow(
        "got 65, expected a whole number from 2 to the context of 64",
      );
    });
  },
);
