import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import {
  effectPerDisturbance,
  keyDisturbance,
  keyEffects,
  rankKeys,
  type ChangedContinuation,
} from "../../src/toxicity/key-effects.js";
import { randomNeurons } from "../../src/toxicity/random.js";
import { unalign } from "../../src/toxicity/unalign.js";
import { norm } from "../../src/tensors/vectors.js";
import { readValueVectors, type Neuron } from "../../src/toxicity/value-vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";

const changed: ChangedContinuation[] = [
  { prompt: [5, 6, 7], before: [8, 9], after: [3] },
  { prompt: [1], before: [4, 4, 2], after: [40, 41, 42, 43] },
  { prompt: [9, 8], before: [17], after: [] },
];
const text = [
  [1, 2, 3, 4, 5, 6],
  [9, 8, 7, 6, 5, 4],
  [11, 12, 13, 14, 15, 16],
];

/** The activations m_i(t) of one text, [position] per neuron, as the model itself computes them. */
async function activations(model: GPT2, ids: readonly number[], neuron: Neuron): Promise<number[]> {
  const name = `blocks.${neuron.layer}.mlp.hook_post`;
  const { residual, cache } = model.runWithCache([ids], { names: name, stopAtLayer: neuron.layer + 1 });
  const [rows] = (await cache.at<tf.Tensor3D>(name).array()) as number[][][];
  residual.dispose();
  cache.dispose();
  return rows!.map((row) => row[neuron.neuron] as number);
}

/** Mean over prompts of log p(before) − log p(after), with `share` of the change that scaling one key makes. */
async function objective(model: GPT2, neuron: Neuron, factor: number, share: number): Promise<number> {
  // The key's input does not change with its own activation, so the scaled model's first change of it is the exact one.
  const scaled = await unalign(model, [neuron], factor);
  const { dMlp } = model.config;
  let sum = 0;
  for (const { prompt, before, after } of changed) {
    for (const [continuation, sign] of [
      [before, 1],
      [after, -1],
    ] as const) {
      if (continuation.length === 0) continue;
      const ids = [...prompt, ...continuation];
      const [from, to] = [await activations(model, ids, neuron), await activations(scaled, ids, neuron)];
      const shift = new Float32Array(ids.length * dMlp);
      from.forEach((value, t) => (shift[t * dMlp + neuron.neuron] = share * ((to[t] as number) - value)));
      const logProbs = tf.tidy(() =>
        model.tokenLogProbs([ids], {
          hooks: {
            [`blocks.${neuron.layer}.mlp.hook_post`]: (x) =>
              tf.add(x, tf.tensor(shift, [1, ids.length, dMlp])),
          },
        }),
      );
      const values = [...(await logProbs.data())].slice(prompt.length - 1);
      logProbs.dispose();
      sum += sign * values.reduce((total, value) => total + value, 0);
    }
  }
  scaled.dispose();
  return sum / changed.length;
}

onEachBackend(({ some }) => {
  let model: GPT2;
  beforeAll(async () => {
    model = await GPT2.load("test/fixtures/tiny-gpt2");
  });
  const close = (a: ArrayLike<number>, b: ArrayLike<number>, scale = 1) => {
    const largest = Math.max(...Array.from(b, Math.abs));
    expect(a.length).toBe(b.length);
    Array.from(a).forEach((value, i) => {
      expect(Math.abs(value - scale * (b[i] as number))).toBeLessThan(1e-4 * largest + 1e-6);
    });
  };

  test("an effect is the slope of the odds of the earlier continuation along the activation's change", async () => {
    const { dMlp } = model.config;
    const effects = await keyEffects(model, changed, { factor: 3 });
    const [strongest] = rankKeys(model, effects.map(Math.abs), 1);
    for (const neuron of some([strongest as Neuron, ...randomNeurons(model, 2, 7)])) {
      const step = 0.05;
      const slope =
        ((await objective(model, neuron, 3, step)) - (await objective(model, neuron, 3, -step))) / (2 * step);
      const effect = effects[neuron.layer * dMlp + neuron.neuron] as number;
      expect(Math.abs(effect - slope)).toBeLessThan(0.02 * Math.abs(slope) + 2e-4);
    }
  });

  test("a factor of 1 has no effect, and swapping the continuations turns every effect round", async () => {
    const none = await keyEffects(model, changed, { factor: 1 });
    expect(Math.max(...none.map(Math.abs))).toBeLessThan(1e-5);
    const effects = await keyEffects(model, changed, { factor: 10 });
    const swapped = changed.map(({ prompt, before, after }) => ({ prompt, before: after, after: before }));
    close(await keyEffects(model, swapped, { factor: 10 }), effects, -1);
  });

  test("neither the order of the texts nor the batch matters", async () => {
    const effects = await keyEffects(model, changed, { factor: 10 });
    close(await keyEffects(model, [...changed].reverse(), { factor: 10, batchSize: 2 }), effects);
    const disturbances = await keyDisturbance(model, text, { factor: 10 });
    close(await keyDisturbance(model, [...text].reverse(), { factor: 10, batchSize: 2 }), disturbances);
  });

  test("a disturbance is the length of what the scaled key adds to the residual stream", async () => {
    const { dMlp } = model.config;
    const disturbances = await keyDisturbance(model, text, { factor: 5 });
    for (const neuron of some(randomNeurons(model, 4, 3))) {
      const scaled = await unalign(model, [neuron], 5);
      let squares = 0;
      for (const ids of text) {
        const [from, to] = [await activations(model, ids, neuron), await activations(scaled, ids, neuron)];
        from.forEach((value, t) => (squares += ((to[t] as number) - value) ** 2));
      }
      scaled.dispose();
      const [vector] = await readValueVectors(model, [neuron]);
      const expected = Math.sqrt(squares / text.flat().length) * norm(vector!);
      expect(disturbances[neuron.layer * dMlp + neuron.neuron]).toBeCloseTo(expected, 4);
    }
    expect(Math.max(...(await keyDisturbance(model, text, { factor: 1 })))).toBeLessThan(1e-5);
  });

  test("what cannot be weighed is refused, and nothing is left in memory", async () => {
    await expectNoneLeft(async () => {
      await expect(keyEffects(model, [], { factor: 2 })).rejects.toThrow("got no continuations");
      const mute = { prompt: [1], before: [], after: [] };
      await expect(keyEffects(model, [mute], { factor: 2 })).rejects.toThrow("prompt 0 or what follows it");
      await expect(keyDisturbance(model, [], { factor: 2 })).rejects.toThrow("got no tokens");
      await expect(keyDisturbance(model, [[1, 2], [3]], { factor: 2 })).rejects.toThrow("several lengths");
      await keyEffects(model, changed, { factor: 2 });
      await keyDisturbance(model, text, { factor: 2 });
    });
  });
});

describe("ranking", () => {
  const config = { nLayer: 2, dMlp: 3 } as GPT2["config"];

  test("goes by score, equal ones by place", () => {
    expect(rankKeys({ config }, [1, 5, 1, -2, 5, 9], 4)).toEqual([
      { layer: 1, neuron: 2, score: 9 },
      { layer: 0, neuron: 1, score: 5 },
      { layer: 1, neuron: 1, score: 5 },
      { layer: 0, neuron: 0, score: 1 },
    ]);
    expect(() => rankKeys({ config }, [1, 2])).toThrow("got 2 scores, expected 6");
  });

  test("by effect for its price divides by no less than the first decile of prices", () => {
    const prices = Float64Array.from({ length: 20 }, (_, i) => i);
    const effects = new Float64Array(20).fill(6);
    const ratio = effectPerDisturbance(effects, prices);
    expect([...ratio].slice(0, 5)).toEqual([3, 3, 3, 2, 1.5]);
    expect([...effectPerDisturbance(new Float64Array(2), new Float64Array(2))]).toEqual([0, 0]);
    expect(() => effectPerDisturbance(effects, new Float64Array(2))).toThrow("20 effects and 2 disturbances");
  });

  test("random neurons are different ones, the same for the same seed, of all layers", () => {
    const all = randomNeurons({ config }, 6, 5);
    expect(new Set(all.map(({ layer, neuron }) => layer * 3 + neuron)).size).toBe(6);
    expect(randomNeurons({ config }, 4, 5)).toEqual(all.slice(0, 4));
    expect(() => randomNeurons({ config }, 7, 5)).toThrow("expected a whole number from 0 to 6");
  });
});
