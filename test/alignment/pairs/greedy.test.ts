import { expect, it } from "vitest";
import { greedyContinuations } from "../../../src/alignment/pairs/index.js";
import { generate, GPT2 } from "../../../src/model/index.js";
import { onEachBackend } from "../../backends.js";
import { SMALL } from "../../model/folders.js";

onEachBackend(() => {
  it("the preferred side is the model's likeliest continuation, whatever the chunk, and never an empty one", async () => {
    const prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9], [10, 11]];
    const greedy = async (config: typeof SMALL): Promise<[number[][], number[][], number[][]]> => {
      const model = GPT2.random(config, 3);
      const continuations = greedyContinuations(model, { maxNewTokens: 5 });
      const whole = await continuations(prompts, { rows: [0, 1, 2, 3], seed: 1 });
      const parts = [
        ...(await continuations(prompts.slice(0, 1), { rows: [0], seed: 2 })),
        ...(await continuations(prompts.slice(1), { rows: [1, 2, 3], seed: 3 })),
      ];
      const plain = await generate(model, prompts, { maxNewTokens: 5, stopAtEos: true });
      model.dispose();
      return [whole.map((ids) => [...ids]), parts.map((ids) => [...ids]), plain];
    };
    const [whole, parts, plain] = await greedy(SMALL);
    expect(parts).toEqual(whole);
    expect(plain).toEqual(whole);
    // The token that would come first ends the text in this model, and is passed over.
    const [ended, , empty] = await greedy({ ...SMALL, eosTokenId: whole[0]?.[0] ?? 0 });
    expect(empty[0]).toEqual([]);
    expect(ended.every((ids) => ids.length >= 1)).toBe(true);
  });
});
