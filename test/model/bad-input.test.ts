import { afterAll, beforeAll, describe, expect, test } from "vitest";
import fc from "fast-check";
import * as tf from "@tensorflow/tfjs-core";
import { GPT2, gradientsOf, logitLens, nextTokenLoss } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { CASES, logSoftmaxOf, modelOf, relativeError, valuesOf } from "./cases.js";
import { modelFolder, smallTensors } from "./folders.js";

const own = CASES[0]!; // a vocabulary of 11, a context of 10
const { config, weights, even } = own;

onEachBackend(({ runs }) => {
  let model: GPT2;
  beforeAll(() => {
    model = modelOf(own);
  });
  afterAll(() => model.dispose());

  const ids = (...sequences: number[][]): number[][] => sequences;
  const long = Array<number>(11).fill(1);
  const wrong: [string, () => unknown, string][] = [
    ["no sequences", () => model.forward([]), "empty batch: expected at least one sequence of tokens"],
    [
      "an empty one",
      () => model.forward(ids([1], [])),
      "sequence 1 is empty: a prompt needs at least one token",
    ],
    [
      "unequal lengths",
      () => model.forward(ids([1], [1, 2])),
      'sequences of 1 to 2 tokens in one batch: say padding "masked" or "as-published"',
    ],
    [
      "too long",
      () => model.forward([long]),
      "sequence 0 has 11 tokens, the model's context holds 10: shorten it",
    ],
    [
      "an id out of range",
      () => model.forward(ids([1, 11])),
      "sequence 0: token id 11 at position 1, expected 0 to 10",
    ],
    [
      "a negative id",
      () => model.tokenLogProbs(ids([1, -1])),
      "sequence 0: token id -1 at position 1, expected 0 to 10",
    ],
    [
      "an id that is no number",
      () => model.keyValues(ids([Number.NaN])),
      "sequence 0: token id NaN at position 0, expected 0 to 10",
    ],
    [
      "an unknown parameter",
      () => model.weight("h.0.ln_3.bias"),
      "unknown parameter: h.0.ln_3.bias (did you mean h.0.ln_1.bias or h.0.ln_2.bias",
    ],
    [
      "an unknown hook",
      () => model.forward([[1]], { hooks: { "blocks.0.hook_q": () => undefined } }),
      "unknown hook: blocks.0.hook_q (did you mean",
    ],
    [
      "the loss of other sequences",
      () => tf.tidy(() => nextTokenLoss(model.forward(even), [[1, 2, 3]])),
      "next-token loss: got logits [2,4,11] and 1 sequences of 3 tokens, expected 2 of 4, at least 2 each",
    ],
    [
      "the loss of tokens out of range",
      () => tf.tidy(() => nextTokenLoss(model.forward([[1, 2]]), [[1, 11]])),
      "next-token loss: token 11, expected 0 to 10",
    ],
    ["a lens on no token", () => logitLens(model, even, 0.5), "token 0.5: expected 0 to 10"],
    [
      "the gradient of several numbers",
      () => gradientsOf(model, (options) => model.forward(even, options), { parameters: "all" }),
      "gradient of a tensor [2,4,11]: expected a scalar (tf.sum or tf.mean it)",
    ],
  ];
  test.each(wrong)("%s: one line that says so, and nothing is left behind", async (_, act, message) => {
    const before = tf.memory().numTensors;
    const error: unknown = await (async () => act())().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    const { name, message: said } = error as Error;
    expect(said.startsWith(message), said).toBe(true);
    expect([name, said.includes("\n")]).toEqual(["UserError", false]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("whatever is refused, the model then computes as before", async () => {
    const sequence = fc.array(fc.oneof(fc.integer({ min: -2, max: 12 }), fc.constant(0.5)), {
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(sequence, { maxLength: 3 }), async (sequences) => {
        const lengths = new Set(sequences.map(({ length }) => length));
        const good =
          lengths.size === 1 &&
          !lengths.has(0) &&
          Math.max(...lengths) <= config.nPositions &&
          sequences.flat().every((id) => Number.isInteger(id) && id >= 0 && id < config.vocabSize);
        const run = () => model.forward(sequences);
        if (good) run().dispose();
        else expect(run).toThrow(/sequence|empty batch/);
      }),
      { numRuns: runs(60) },
    );
    const { logProbs } = forward(weights, config, layOut(even, config));
    const measured = logSoftmaxOf(await valuesOf(model.forward(even)), config.vocabSize);
    expect(relativeError(measured, logProbs.values)).toBeLessThan(1e-5);
  });
});

describe("weights that no model can have", () => {
  const values = (): Map<string, Float32Array> =>
    new Map([...weights].map(([name, own]) => [name, Float32Array.from(own)]));

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "%d: the tensor is named",
    async (bad) => {
      const given = values();
      given.get("h.0.mlp.c_fc.bias")![3] = bad;
      expect(() => GPT2.fromValues(config, given)).toThrow(
        `parameter h.0.mlp.c_fc.bias holds ${bad} at index 3, expected finite numbers`,
      );
      const tensors = smallTensors();
      tensors.find(([name]) => name === "h.1.ln_2.weight")![1].data[5] = bad;
      await expect(GPT2.load(modelFolder(tensors))).rejects.toThrow(
        new RegExp(`tensor h\\.1\\.ln_2\\.weight holds ${bad} at index 5, expected finite numbers`),
      );
    },
  );

  test("a missing one, one too many, one of another size", () => {
    const without = values();
    without.delete("ln_f.bias");
    expect(() => GPT2.fromValues(config, without)).toThrow("parameter ln_f.bias is missing, expected [15]");
    const more = values().set("ln_g.bias", new Float32Array(15));
    expect(() => GPT2.fromValues(config, more)).toThrow(
      /unknown parameter: ln_g\.bias \(did you mean ln_f\.bias/,
    );
    const short = values().set("ln_f.bias", new Float32Array(3));
    expect(() => GPT2.fromValues(config, short)).toThrow("parameter ln_f.bias has 3 values, expected [15]");
  });
});
