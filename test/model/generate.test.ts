import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  generate,
  type GenerateOptions,
  type GPT2,
  type Hooks,
  type SamplingOptions,
} from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut, type Edit } from "../referee/index.js";
import {
  CASES,
  logSoftmaxOf,
  modelOf,
  relativeError,
  tail,
  TWO_BLOCKS,
  valuesOf,
  type Case,
} from "./cases.js";

const PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8], [9, 10], [2, 2]];

/** Log-probabilities of the next token of each sequence in float64. */
function nextInFloat64({ config, weights }: Case, sequences: number[][], edit?: Edit): Float64Array[] {
  const { logProbs } = forward(weights, config, layOut(sequences, config), edit);
  const rows = tail(logProbs.values, logProbs.shape, 1, logProbs.shape[1]! - 1);
  return sequences.map((_, i) => rows.subarray(i * config.vocabSize, (i + 1) * config.vocabSize));
}

onEachBackend(({ slow, some, long }) => {
  const own = slow ? CASES[0]! : TWO_BLOCKS;
  const { config } = own;
  const prompts = some(PROMPTS);
  let model: GPT2;
  beforeAll(() => {
    model = modelOf(own);
  });
  afterAll(() => model.dispose());
  const drawn = (sample: SamplingOptions, rest: Partial<GenerateOptions> = {}): Promise<number[][]> =>
    generate(model, prompts, { maxNewTokens: 3, stopAtEos: false, sample, ...rest });
  const greedy = (): Promise<number[][]> => generate(model, prompts, { maxNewTokens: 3, stopAtEos: false });

  test("greedy: each token is the likeliest in float64, given those before it", async () => {
    const sequences = prompts.map((prompt) => [...prompt]);
    for (let step = 0; step < 3; step += 1) {
      nextInFloat64(own, sequences).forEach((row, i) => sequences[i]!.push(row.indexOf(Math.max(...row))));
    }
    expect(await greedy()).toEqual(sequences.map((sequence) => sequence.slice(-3)));
  });

  long("a continuation is the same whatever else is in its batch", async () => {
    const together = await greedy();
    const reversed = await generate(model, [...prompts].reverse(), { maxNewTokens: 3, stopAtEos: false });
    expect(reversed.reverse()).toEqual(together);
    expect(await generate(model, [prompts[3]!], { maxNewTokens: 3, stopAtEos: false })).toEqual([
      together[3],
    ]);
  });

  long("the same seed gives the same tokens whatever the batch size, another seed others", async () => {
    const first = await drawn({ seed: 1 });
    for (const batchSize of [1, 2, 5]) expect(await drawn({ seed: 1 }, { batchSize })).toEqual(first);
    expect(await drawn({ seed: 2 })).not.toEqual(first);
    expect(await drawn({ seed: -1 })).not.toEqual(first);
  });

  test("end of text is not chosen before minNewTokens: the likeliest other token is", async () => {
    const [sequence] = prompts as [number[]];
    const [row] = nextInFloat64(own, [sequence]) as [Float64Array];
    const ranked = [...row.keys()].sort((a, b) => row[b]! - row[a]!);
    // A model that would end its text at once.
    const eager = modelOf({ ...own, config: { ...config, eosTokenId: ranked[0]! } });
    expect(await generate(eager, [sequence], { maxNewTokens: 1 })).toEqual([[]]);
    for (const sample of [undefined, { seed: 1, topK: 1 }]) {
      const [tokens] = await generate(eager, [sequence], { maxNewTokens: 3, minNewTokens: 1, sample });
      expect(tokens![0]).toBe(ranked[1]);
    }
    await expect(generate(eager, [sequence], { maxNewTokens: 1, minNewTokens: 2 })).rejects.toThrow(
      "minNewTokens: got 2, expected 0 to maxNewTokens (1)",
    );
    eager.dispose();
  });

  test("a temperature near 0, the likeliest token alone, and a tiny probability: each is greedy", async () => {
    const expected = await greedy();
    const settings: SamplingOptions[] = [
      { seed: 3, topK: 1 },
      { seed: 3, temperature: 1e-4 },
      { seed: 3, topP: 1e-6 },
      { seed: 3, topK: 5, topP: 1e-6, temperature: 2 },
    ];
    for (const sample of some(settings))
      expect(await drawn(sample), JSON.stringify(sample)).toEqual(expected);
  });

  long("tokens are drawn as often as the model says, within 4 sigma", async () => {
    const count = 2000;
    const temperature = 1.5;
    const [logProbs] = nextInFloat64(own, [[1, 2, 3]]) as [Float64Array];
    const scaled = logSoftmaxOf(
      logProbs.map((x) => x / temperature),
      config.vocabSize,
    );
    const tokens = await generate(model, Array<number[]>(count).fill([1, 2, 3]), {
      maxNewTokens: 1,
      stopAtEos: false,
      batchSize: 500,
      sample: { seed: 11, temperature },
    });
    const counts = new Array<number>(config.vocabSize).fill(0);
    for (const [token] of tokens) counts[token!]! += 1;
    counts.forEach((seen, token) => {
      const p = Math.exp(scaled[token]!);
      const sigma = Math.sqrt(count * p * (1 - p));
      expect(Math.abs(seen - count * p), `token ${token}`).toBeLessThan(4 * sigma + 1);
    });
  });

  describe("hooks", () => {
    /** The last layer norm's input to the unembedding, at the position that chooses a token, step by step. */
    const watching = (hooks: Hooks, seen: tf.Tensor[]): Hooks => ({
      ...hooks,
      "ln_final.hook_normalized": (x) => {
        expect(x.shape[1]).toBe(1);
        seen.push(tf.keep(tf.clone(x)));
      },
    });
    const point = "blocks.0.hook_mlp_out";
    const direction = Array.from({ length: config.dModel }, (_, i) => 0.3 * (i % 3));

    test("an intervention at the last position, step by step, is one at every position from there on", async () => {
      const two = prompts.slice(0, 2);
      const width = Math.max(...two.map((prompt) => prompt.length));
      const atLast: Hooks = {
        [point]: (x, { generating }) => {
          expect(generating).toBe(true);
          const places = Array.from({ length: x.shape[1]! }, (_, i) => Number(i === x.shape[1]! - 1));
          return tf.add(
            x,
            tf.mul(tf.tensor(places, [1, x.shape[1]!, 1]), tf.tensor(direction, [1, 1, config.dModel])),
          );
        },
      };
      const edit: Edit = (name, { values, shape }) => {
        if (name !== point) return;
        values.forEach((_, i) => {
          if (Math.floor(i / config.dModel) % shape[1]! >= width - 1)
            values[i]! += direction[i % config.dModel]!;
        });
      };
      const seen: tf.Tensor[] = [];
      const tokens = await generate(model, two, {
        maxNewTokens: 3,
        stopAtEos: false,
        hooks: watching(atLast, seen),
      });
      const steps = await Promise.all(seen.map(valuesOf));
      expect(steps).toHaveLength(3);
      steps.forEach((measured, step) => {
        const sequences = two.map((prompt, i) => [...prompt, ...tokens[i]!.slice(0, step)]);
        const { activations } = forward(own.weights, config, layOut(sequences, config), edit);
        const { values, shape } = activations.get("ln_final.hook_normalized")!;
        expect(relativeError(measured, tail(values, shape, 1, shape[1]! - 1)), `step ${step}`).toBeLessThan(
          1e-4,
        );
      });
    });

    test("hooks on attention change no token where they change no activation", async () => {
      const hooks = Object.fromEntries(
        ["q", "k", "v", "attn_scores", "pattern", "z"].map((name) => [
          `blocks.0.attn.hook_${name}`,
          (x: tf.Tensor) => tf.mul(x, 1),
        ]),
      );
      expect(await generate(model, prompts, { maxNewTokens: 3, stopAtEos: false, hooks })).toEqual(
        await greedy(),
      );
    });
  });

  long("a sequence that ends does so alone, and the end-of-text token is not returned", async () => {
    const onwards = await generate(model, PROMPTS, {
      maxNewTokens: 6,
      stopAtEos: false,
      sample: { seed: 5, temperature: 9 },
    });
    const stopped = await generate(model, PROMPTS, { maxNewTokens: 6, sample: { seed: 5, temperature: 9 } });
    const ends = onwards.map((tokens) => tokens.indexOf(config.eosTokenId));
    expect(new Set(ends.map((end) => end < 0)).size).toBe(2);
    expect(stopped).toEqual(onwards.map((tokens, i) => (ends[i]! < 0 ? tokens : tokens.slice(0, ends[i]))));
  });

  describe("stopping", () => {
    test("a signal stops it between two tokens, and nothing is left behind", async () => {
      const before = tf.memory().numTensors;
      const controller = new AbortController();
      let steps = 0;
      const hooks: Hooks = {
        hook_embed: () => {
          steps += 1;
          if (steps === 2) controller.abort(new Error("enough"));
        },
      };
      const options = { maxNewTokens: 6, stopAtEos: false, hooks, signal: controller.signal };
      await expect(generate(model, [[1]], options)).rejects.toThrow("enough");
      expect([steps, tf.memory().numTensors]).toEqual([2, before]);
      await expect(generate(model, [[1]], options)).rejects.toThrow("enough");
      expect(steps).toBe(2);
    });

    test.each<[string, Partial<GenerateOptions>, RegExp]>([
      ["no tokens", { maxNewTokens: 0 }, /^maxNewTokens: got 0, expected a positive integer$/],
      ["half a token", { maxNewTokens: 1.5 }, /^maxNewTokens: got 1\.5/],
      ["batches of none", { batchSize: 0 }, /^batchSize: got 0, expected a positive integer$/],
      [
        "a temperature of 0",
        { sample: { seed: 1, temperature: 0 } },
        /^temperature: got 0.*greedy: leave sampling out/,
      ],
      [
        "a temperature that is no number",
        { sample: { seed: 1, temperature: Number.NaN } },
        /^temperature: got NaN/,
      ],
      ["topK 0", { sample: { seed: 1, topK: 0 } }, /^topK: got 0, expected a positive integer$/],
      ["topK 1.5", { sample: { seed: 1, topK: 1.5 } }, /^topK: got 1\.5/],
      ["topP 0", { sample: { seed: 1, topP: 0 } }, /^topP: got 0, expected a number above 0 and at most 1$/],
      ["topP 2", { sample: { seed: 1, topP: 2 } }, /^topP: got 2/],
      ["a seed that is no integer", { sample: { seed: 0.5 } }, /^seed: got 0\.5, expected an integer$/],
      [
        "more than the context holds",
        { maxNewTokens: 10 },
        /1 tokens and 10 new ones do not fit the model's context of 10/,
      ],
    ])("%s is refused", async (_, options, message) => {
      const before = tf.memory().numTensors;
      await expect(generate(model, [[1]], { maxNewTokens: 2, ...options })).rejects.toThrow(message);
      expect(tf.memory().numTensors).toBe(before);
    });
  });

  test("progress is told batch by batch, up to the last", async () => {
    const told: [number, number][] = [];
    const onProgress = (done: number, total: number): void => void told.push([done, total]);
    await generate(model, [[1], [2], [3]], { maxNewTokens: 1, batchSize: 2, onProgress });
    expect(told).toEqual([
      [2, 3],
      [3, 3],
    ]);
  });
});
