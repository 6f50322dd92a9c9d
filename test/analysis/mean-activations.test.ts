import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { meanActivations, type ModelPair } from "../../src/analysis/index.js";
import { GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { disposePair, plainActivations, plainNext, PROMPTS, tinyPair } from "./cases.js";

const NEURONS = [
  { layer: 2, neuron: 17 },
  { layer: 0, neuron: 3 },
  { layer: 2, neuron: 4 },
];
const STEPS = 4;

/** The official code's loop, every step of which runs the whole text again: `[side][neuron]`, a value per step. */
async function literally(
  { before, after }: ModelPair,
  prompt: readonly number[],
  continuation: "as-published" | "corrected",
): Promise<{ before: number[][]; after: number[][] }> {
  const values = { before: NEURONS.map((): number[] => []), after: NEURONS.map((): number[] => []) };
  for (const [side, model] of [["before", before] as const, ["after", after] as const]) {
    const writer = continuation === "as-published" ? after : model;
    const text = [...prompt];
    for (let step = 0; step < STEPS; step += 1) {
      for (const layer of [0, 2]) {
        const row = (await plainActivations(model, text, `blocks.${layer}.mlp.hook_post`)).at(-1)!;
        NEURONS.forEach((each, n) => each.layer === layer && values[side][n]!.push(row[each.neuron]!));
      }
      const next = await plainNext(writer, text);
      if (continuation === "corrected" && next === model.config.eosTokenId) break;
      text.push(next);
    }
  }
  return values;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

onEachBackend(({ slow, some }) => {
  let models: ModelPair;
  beforeAll(async () => {
    models = await tinyPair();
  });
  afterAll(() => disposePair(models));

  test.each(["as-published", "corrected"] as const)(
    "mean activations while generating are those of plain passes over the whole text, %s",
    async (continuation) => {
      const prompts = some(PROMPTS);
      const found = await meanActivations(models, prompts, NEURONS, {
        continuation,
        maxNewTokens: STEPS,
        batchSize: 2,
      });
      const plain: Awaited<ReturnType<typeof literally>>[] = [];
      for (const prompt of prompts) plain.push(await literally(models, prompt, continuation));
      for (const n of NEURONS.keys()) {
        for (const side of ["before", "after"] as const) {
          const own = plain.map((values) => mean(values[side][n]!));
          expect(found[n]![side].perPrompt.length).toBe(prompts.length);
          found[n]![side].perPrompt.forEach((value, i) => expect(value).toBeCloseTo(own[i]!, slow ? 3 : 5));
          expect(found[n]![side].mean).toBeCloseTo(
            mean(plain.flatMap((values) => values[side][n]!)),
            slow ? 3 : 5,
          );
        }
      }
    },
  );

  test("no tensor is left behind, whatever the continuation", async () => {
    for (const continuation of ["as-published", "corrected"] as const) {
      await expectNoneLeft(() =>
        meanActivations(models, PROMPTS, NEURONS, { continuation, maxNewTokens: 3, batchSize: 2 }),
      );
    }
  });

  test("a prompt that only the end of text follows counts its own last position", async () => {
    const { eosTokenId, dModel } = models.before.config;
    // A last layer norm of weight 0, whose bias is the embedding of the end of text, made long: nothing else is ever said.
    const ending = async (model: GPT2): Promise<GPT2> => {
      const table = (await model.weight("wte.weight").data()) as Float32Array;
      const bias = table.slice(eosTokenId * dModel, (eosTokenId + 1) * dModel).map((value) => 1000 * value);
      const parts = new Map<string, tf.Tensor>([
        ["ln_f.weight", tf.zeros([dModel])],
        ["ln_f.bias", tf.tensor1d(bias)],
      ]);
      const made = model.withWeights(parts);
      tf.dispose([...parts.values()]);
      return made;
    };
    const pair = { before: await ending(models.before), after: await ending(models.after) };
    expect(await plainNext(pair.after, [1, 2])).toBe(eosTokenId);
    const [own] = await meanActivations(pair, [[1, 2], [3]], NEURONS, { maxNewTokens: 4 });
    const plain = await plainActivations(pair.before, [1, 2], "blocks.2.mlp.hook_post");
    expect(own!.before.perPrompt[0]).toBeCloseTo(plain.at(-1)![17]!, slow ? 3 : 5);
    const [all] = await meanActivations(pair, [[1, 2], [3]], NEURONS, {
      maxNewTokens: 4,
      continuation: "as-published",
    });
    const whole = await plainActivations(
      pair.before,
      [1, 2, eosTokenId, eosTokenId, eosTokenId],
      "blocks.2.mlp.hook_post",
    );
    expect(all!.before.perPrompt[0]).toBeCloseTo(mean(whole.slice(1).map((row) => row[17]!)), slow ? 3 : 5);
    disposePair(pair);
  });

  test("no prompts, empty prompts and neurons that are not there are refused in one line", async () => {
    await expect(meanActivations(models, [], NEURONS)).rejects.toThrow(
      "mean activations got no prompts: expected at least one",
    );
    await expect(meanActivations(models, [[1], []], NEURONS)).rejects.toThrow("prompt 1 is empty");
    await expect(meanActivations(models, [[1]], [{ layer: 3, neuron: 0 }])).rejects.toThrow(
      "layer 3, expected 0 to 2",
    );
    await expect(meanActivations(models, [[1]], [{ layer: 0, neuron: 192 }])).rejects.toThrow(
      "neuron 192 of layer 0, expected 0 to 191",
    );
    expect(await meanActivations(models, [[1]], [])).toEqual([]);
  });
});
