import { afterAll, beforeAll, expect, test } from "vitest";
import { generatePerturbed } from "../../../src/alignment/pplm/index.js";
import { generate, type GPT2 } from "../../../src/model/index.js";
import { onEachBackend } from "../../backends.js";
import { expectNoneLeft } from "../../none-left.js";
import { CONFIG, CONTEXTS, smallHead, smallModel } from "./settings.js";

const PROMPTS = [...CONTEXTS, [7], [8, 8, 8], [2, 20]];

onEachBackend(() => {
  let model: GPT2;
  beforeAll(() => {
    model = smallModel(9);
  });
  afterAll(() => model.dispose());
  const options = { attribute: smallHead(), maxNewTokens: 4, iterations: 2, stepSize: 0.3, stopAtEos: false };

  test("steps of no length, or no steps, are ordinary generation", async () => {
    const expected = await generate(model, PROMPTS, { maxNewTokens: 4, stopAtEos: false });
    expect(await generatePerturbed(model, PROMPTS, { ...options, stepSize: 0 })).toEqual(expected);
    expect(await generatePerturbed(model, PROMPTS, { ...options, iterations: 0 })).toEqual(expected);
    expect(await generatePerturbed(model, PROMPTS, { ...options, gradLength: 0 })).toEqual(expected);
    expect(await generatePerturbed(model, PROMPTS, { ...options, stepSize: 1 })).not.toEqual(expected);
  });

  test("a seed gives the same text, however prompts are cut into batches; another seed another", async () => {
    const drawn = (seed: number, batchSize: number): Promise<number[][]> =>
      generatePerturbed(model, PROMPTS, { ...options, sample: { seed }, batchSize });
    const first = await drawn(1, 64);
    expect(await drawn(1, 2)).toEqual(first);
    expect(await drawn(1, 64)).toEqual(first);
    expect(await drawn(2, 64)).not.toEqual(first);
  });

  test("a row ends at end-of-text and the others go on as they would", async () => {
    const whole = await generatePerturbed(model, PROMPTS, options);
    // Whatever token some row writes second is made the one that ends it.
    const eosTokenId = whole[0]![1]!;
    const ending = smallModel(9);
    Object.assign(ending, { config: { ...CONFIG, eosTokenId } });
    const ended = await generatePerturbed(ending, PROMPTS, { ...options, stopAtEos: true });
    ending.dispose();
    const cut = (tokens: number[]): number[] =>
      tokens.includes(eosTokenId) ? tokens.slice(0, tokens.indexOf(eosTokenId)) : tokens;
    expect(ended).toEqual(whole.map(cut));
    expect(ended[0]!.length).toBeLessThan(4);
  });

  test("no row ends before minNewTokens: another token is chosen in its place", async () => {
    const [first] = await generatePerturbed(model, PROMPTS.slice(0, 1), options);
    const eosTokenId = first![0]!;
    const ending = smallModel(9);
    Object.assign(ending, { config: { ...CONFIG, eosTokenId } });
    const own = { ...options, stopAtEos: true };
    expect(await generatePerturbed(ending, PROMPTS.slice(0, 1), own)).toEqual([[]]);
    for (const sample of [undefined, { seed: 2 }]) {
      const [tokens] = await generatePerturbed(ending, PROMPTS.slice(0, 1), {
        ...own,
        sample,
        minNewTokens: 2,
      });
      expect(tokens!.length).toBeGreaterThanOrEqual(2);
      expect(tokens).not.toContain(eosTokenId);
    }
    await expect(generatePerturbed(ending, PROMPTS, { ...own, minNewTokens: 5 })).rejects.toThrow(
      "minNewTokens: got 5, expected 0 to maxNewTokens (4)",
    );
    ending.dispose();
  });

  test("tells how far each row went from the model: not at all without steps, further with more", async () => {
    const divergences = async (iterations: number): Promise<number[]> => {
      const found: number[] = [];
      const onDivergence = (prompt: number, kl: number): void => void (found[prompt] = kl);
      await generatePerturbed(model, PROMPTS, { ...options, iterations, batchSize: 4, onDivergence });
      return found;
    };
    const [none, some, more] = [await divergences(0), await divergences(1), await divergences(6)];
    expect(none).toHaveLength(PROMPTS.length);
    const mean = (values: number[]): number => values.reduce((sum, kl) => sum + kl, 0) / values.length;
    for (const kl of none) expect(Math.abs(kl)).toBeLessThan(1e-5);
    expect(mean(some)).toBeGreaterThan(1e-5);
    expect(mean(more)).toBeGreaterThan(mean(some));
  });

  test("only the likeliest topK are drawn", async () => {
    const greedy = await generatePerturbed(model, PROMPTS, options);
    const sample = { seed: 3 };
    expect(await generatePerturbed(model, PROMPTS, { ...options, sample, topK: 1 })).toEqual(greedy);
  });

  test("progress counts the tokens of all rows, batches are handed out as they are done", async () => {
    const seen: number[] = [];
    const batches: [number, number][] = [];
    await generatePerturbed(model, PROMPTS, {
      ...options,
      batchSize: 4,
      onProgress: (done, total) => {
        expect(total).toBe(24);
        seen.push(done);
      },
      onBatch: (continuations, first) => void batches.push([first, continuations.length]),
    });
    expect(seen).toEqual([4, 8, 12, 16, 18, 20, 22, 24]);
    expect(batches).toEqual([
      [0, 4],
      [4, 2],
    ]);
  });

  test("an abort gets in between tokens, and leaves nothing behind", async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const run = (): Promise<number[][]> =>
      generatePerturbed(model, PROMPTS, {
        ...options,
        signal: controller.signal,
        onProgress: (done) => {
          seen.push(done);
          setImmediate(() => controller.abort(new Error("enough")));
        },
      });
    await expectNoneLeft(() => expect(run()).rejects.toThrow("enough"));
    expect(seen).toEqual([6]);
  });

  test("no tensor is left behind", async () => {
    await expectNoneLeft(() =>
      generatePerturbed(model, PROMPTS, { ...options, sample: { seed: 1 }, stopAtEos: true }),
    );
  });

  test.each([
    [{ stepSize: -1 }, /^stepSize: got -1, expected a number of at least 0$/],
    [{ stepSize: Number.NaN }, /^stepSize: got NaN/],
    [{ temperature: 0 }, /^temperature: got 0, expected a number above 0$/],
    [{ topK: 0 }, /^topK: got 0, expected an integer of at least 1$/],
    [{ iterations: 1.5 }, /^iterations: got 1.5/],
    [{ windowLength: -1 }, /^windowLength: got -1/],
    [{ horizon: 0 }, /^horizon: got 0/],
    [{ gmScale: 2 }, /^gmScale: got 2, expected a number from 0 to 1$/],
    [{ klScale: Infinity }, /^klScale: got Infinity/],
    [{ gamma: -1 }, /^gamma: got -1/],
    [{ gradLength: -1 }, /^gradLength: got -1/],
    [{ decay: true }, /^decay: expected a windowLength above 0/],
    [{ batchSize: 0 }, /^batchSize: got 0/],
    [{ maxNewTokens: 0 }, /^maxNewTokens: got 0/],
    [{ sample: { seed: 0.5 } }, /^seed: got 0.5/],
    [
      { maxNewTokens: 11 },
      /^a prompt of 6 tokens, 11 new ones and a horizon of 1 do not fit the model's context of 16/,
    ],
    [{ attribute: { ...smallHead(), target: 2 } }, /^attribute: target class 2, expected 0 to 1$/],
    [{ attribute: { ...smallHead(), bias: [0] } }, /^attribute: 2 rows of weights and 1 biases/],
    [
      { attribute: { ...smallHead(), weight: [[1], [2]] } },
      /reads hidden states of width 1, the model's are 12 wide/,
    ],
  ])("%o is refused in one line", async (wrong, message) => {
    await expectNoneLeft(() =>
      expect(generatePerturbed(model, PROMPTS, { ...options, ...wrong })).rejects.toThrow(message),
    );
  });

  test("no prompts, empty ones and unknown tokens are refused", async () => {
    await expect(generatePerturbed(model, [], options)).rejects.toThrow(/^no prompts/);
    await expect(generatePerturbed(model, [[1], []], options)).rejects.toThrow(/^prompt 1 is empty/);
    await expect(generatePerturbed(model, [[1], [23]], options)).rejects.toThrow(/token id 23/);
  });
});
