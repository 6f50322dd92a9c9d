import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generate, GPT2, hookPoints, logitLens } from "../../src/model/index.js";
import { oneHot } from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { SMALL } from "./folders.js";

onEachBackend(({ runs, long }) => {
  let model: GPT2;

  beforeAll(() => {
    model = GPT2.random(SMALL, 5);
  });
  afterAll(() => model.dispose());

  const tokens = (length: { min: number; max: number }) =>
    fc.array(fc.integer({ min: 0, max: SMALL.vocabSize - 1 }), {
      minLength: length.min,
      maxLength: length.max,
    });

  async function values(tensor: tf.Tensor): Promise<number[]> {
    const data = Array.from(await tensor.data());
    tensor.dispose();
    return data;
  }

  async function lastLogits(ids: number[][], padding?: "masked" | "as-published"): Promise<number[][]> {
    const logits = model.forward(ids, { padding });
    const last = tf.tidy(() => tf.squeeze(tf.slice(logits, [0, logits.shape[1] - 1, 0], [-1, 1, -1]), [1]));
    const rows = (await last.array()) as number[][];
    tf.dispose([logits, last]);
    return rows;
  }

  function expectClose(measured: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
    expect(measured.length).toBe(expected.length);
    measured.forEach((value, i) => expect(Math.abs(value - (expected[i] as number))).toBeLessThan(tolerance));
  }

  describe("padding", () => {
    long("masked: a sequence means the same alone and padded beside longer ones", async () => {
      await fc.assert(
        fc.asyncProperty(tokens({ min: 1, max: 6 }), tokens({ min: 7, max: 12 }), async (short, long) => {
          const [together] = await lastLogits([short, long], "masked");
          const [alone] = await lastLogits([short]);
          expectClose(together as number[], alone as number[]);
        }),
        { numRuns: runs(20) },
      );
    });

    test("as-published: a short sequence is one that begins with end-of-text tokens", async () => {
      const [together] = await lastLogits(
        [
          [3, 4],
          [1, 2, 3, 4, 5],
        ],
        "as-published",
      );
      const [prefixed] = await lastLogits([[22, 22, 22, 3, 4]]);
      expectClose(together as number[], prefixed as number[]);
    });

    test("unequal lengths without a padding are refused", () => {
      expect(() => model.forward([[1], [1, 2]])).toThrow(/1 to 2 tokens in one batch: say padding/);
    });
  });

  describe("hooks", () => {
    test("every listed hook point is reached, with the layer's number", () => {
      const seen = new Map<string, number | null>();
      const hooks = Object.fromEntries(
        hookPoints(SMALL).map((name) => [
          name,
          (_: tf.Tensor, at: { layer: number | null }) => void seen.set(name, at.layer),
        ]),
      );
      model.forward([[1, 2, 3]], { hooks }).dispose();
      expect([...seen.keys()].sort()).toEqual(hookPoints(SMALL).sort());
      expect(seen.get("blocks.1.attn.hook_z")).toBe(1);
      expect(seen.get("hook_embed")).toBeNull();
    });

    test("listening alone changes nothing", async () => {
      const plain = await values(model.forward([[1, 2, 3]]));
      const { logits, cache } = model.runWithCache([[1, 2, 3]], { names: hookPoints(SMALL) });
      expectClose(await values(logits), plain);
      expect([...cache.keys()].length).toBe(hookPoints(SMALL).length);
      tf.dispose([...cache.values()]);
    });

    test("activations have TransformerLens' shapes", () => {
      const shapes = {
        "blocks.0.attn.hook_q": [1, 3, 2, 4],
        "blocks.0.attn.hook_z": [1, 3, 2, 4],
        "blocks.0.attn.hook_pattern": [1, 2, 3, 3],
        "blocks.1.mlp.hook_post": [1, 3, 32],
        "blocks.1.ln2.hook_scale": [1, 3, 1],
        "ln_final.hook_normalized": [1, 3, 8],
      };
      const { logits, cache } = model.runWithCache([[1, 2, 3]], { names: Object.keys(shapes) });
      for (const [name, shape] of Object.entries(shapes)) expect(cache.get(name)?.shape).toEqual(shape);
      tf.dispose([logits, ...cache.values()]);
    });

    test("a returned tensor replaces the activation", async () => {
      const zeroed = { "blocks.1.hook_mlp_out": (x: tf.Tensor) => tf.zerosLike(x) };
      const without = await values(model.forward([[1, 2]], { hooks: zeroed }));
      const { logits, cache } = model.runWithCache([[1, 2]], { names: ["blocks.1.hook_resid_mid"] });
      const skipped = {
        "blocks.1.hook_resid_post": () => tf.clone(cache.get("blocks.1.hook_resid_mid") as tf.Tensor),
      };
      expectClose(await values(model.forward([[1, 2]], { hooks: skipped })), without);
      tf.dispose([logits, ...cache.values()]);
    });

    test("a wrong shape, a misspelt name and a block that is not there are refused by name", () => {
      const hook = (): tf.Tensor => tf.zeros([2]);
      expect(() => model.forward([[1]], { hooks: { "blocks.0.hook_attn_out": hook } })).toThrow(
        /hook blocks\.0\.hook_attn_out returned \[2\], expected \[1,1,8\]/,
      );
      expect(() => model.forward([[1]], { hooks: { "blocks.0.hook_rezid_mid": hook } })).toThrow(
        /unknown hook: blocks\.0\.hook_rezid_mid \(did you mean blocks\.0\.hook_resid_mid/,
      );
      expect(() => model.forward([[1]], { hooks: { "blocks.7.hook_resid_mid": hook } })).toThrow(
        /2 blocks: 0 to 1/,
      );
    });
  });

  describe("greedy generation", () => {
    long("the cache gives the tokens of a full pass over everything", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(tokens({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }),
          fc.constantFrom("masked" as const, "as-published" as const),
          async (prompts, padding) => {
            const cached = await generate(model, prompts, { maxNewTokens: 5, padding, stopAtEos: false });
            const width = Math.max(...prompts.map((prompt) => prompt.length));
            const sequences = prompts.map((prompt) =>
              padding === "masked"
                ? [...prompt]
                : [...Array<number>(width - prompt.length).fill(22), ...prompt],
            );
            for (let step = 0; step < 5; step++) {
              const rows = await lastLogits(sequences, padding);
              rows.forEach((row, i) => sequences[i]?.push(row.indexOf(Math.max(...row))));
            }
            expect(cached).toEqual(sequences.map((sequence) => sequence.slice(-5)));
          },
        ),
        { numRuns: runs(15) },
      );
    });

    long("a sequence ends at the end-of-text token, which is not returned", async () => {
      const bias = oneHot(tf.tensor1d([22], "int32"), 23);
      const always = model.withWeights(new Map([["ln_f.weight", tf.zeros([8])]]));
      // With ln_f's scale at zero every logit is equal but for its bias: token 0 wins until the embedding says otherwise.
      expect(await generate(always, [[1]], { maxNewTokens: 3 })).toEqual([[0, 0, 0]]);
      const direction = tf.tidy(() => tf.reshape(tf.matMul(bias, model.unembedding), [8]));
      const ending = always.withWeights(new Map([["ln_f.bias", direction]]));
      expect(await generate(ending, [[1], [2, 3]], { maxNewTokens: 3 })).toEqual([[], []]);
      const onwards = await generate(ending, [[1]], { maxNewTokens: 3, stopAtEos: false });
      expect(onwards).toEqual([[22, 22, 22]]);
      tf.dispose([bias, direction]);
      ending.dispose();
      always.dispose();
    });

    long("batches and one batch give the same", async () => {
      const prompts = [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
        [10, 11, 12],
        [13, 14, 15],
      ];
      const one = await generate(model, prompts, { maxNewTokens: 4 });
      expect(await generate(model, prompts, { maxNewTokens: 4, batchSize: 2 })).toEqual(one);
    });

    test("progress is told after every batch", async () => {
      const told: number[] = [];
      await generate(model, [[1], [2], [3]], {
        maxNewTokens: 1,
        batchSize: 2,
        onProgress: (done) => told.push(done),
      });
      expect(told).toEqual([2, 3]);
    });
  });

  describe("bad input is refused in one line", () => {
    const long = Array.from({ length: 17 }, () => 1);
    test.each([
      ["an empty prompt", () => model.forward([[1], []], { padding: "masked" }), /sequence 1 is empty/],
      ["an empty batch", () => model.forward([]), /empty batch/],
      [
        "a prompt longer than the context",
        () => model.forward([long]),
        /17 tokens, the model's context holds 16/,
      ],
      [
        "a token id out of range",
        () => model.forward([[1, 23]]),
        /token id 23 at position 1, expected 0 to 22/,
      ],
      ["a fractional token id", () => model.forward([[0.5]]), /token id 0\.5/],
      ["an unknown parameter", () => model.weight("h.9.ln_1.bias"), /unknown parameter: h\.9\.ln_1\.bias/],
    ])("%s", (_, act, message) => expect(act).toThrow(message));

    test("a prompt that leaves no room for the continuation", async () => {
      await expect(generate(model, [[...long.slice(0, 15)]], { maxNewTokens: 5 })).rejects.toThrow(
        /15 tokens and 5 new ones do not fit the model's context of 16/,
      );
    });
  });

  test("no tensor is left behind", async () => {
    const hooks = { "blocks.0.hook_mlp_out": (x: tf.Tensor) => tf.mul(x, 2) };
    await generate(model, [[1, 2]], { maxNewTokens: 2 });
    const before = tf.memory().numTensors;
    model.forward([[1, 2], [3]], { padding: "masked", hooks }).dispose();
    await generate(model, [[1, 2], [3]], { maxNewTokens: 3, hooks });
    await logitLens(model, [[1, 2]], 3);
    await expect(generate(model, [[1]], { maxNewTokens: 99 })).rejects.toThrow();
    expect(() => model.forward([[1]], { hooks: { "blocks.0.hook_mlp_out": () => tf.zeros([1]) } })).toThrow();
    expect(tf.memory().numTensors).toBe(before);
  });
});
