import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { GPT2 } from "../../src/model/index.js";
import { randomNeurons } from "../../src/toxicity/random.js";
import { unalign } from "../../src/toxicity/unalign.js";
import type { Neuron } from "../../src/toxicity/value-vectors.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";

async function weightsOf(model: GPT2): Promise<Map<string, number[]>> {
  const entries = model.parameterNames.map(async (name): Promise<[string, number[]]> => [
    name,
    [...(await model.weight(name).data())],
  ]);
  return new Map(await Promise.all(entries));
}

async function unaligned(
  model: GPT2,
  neurons: readonly Neuron[],
  factor: number,
): Promise<Map<string, number[]>> {
  const changed = await unalign(model, neurons, factor);
  const weights = await weightsOf(changed);
  changed.dispose();
  return weights;
}

onEachBackend(({ runs }) => {
  let model: GPT2;
  let original: Map<string, number[]>;
  beforeAll(async () => {
    model = await GPT2.load("test/fixtures/tiny-gpt2");
    original = await weightsOf(model);
  });
  const some = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(1000))
    .map(([count, seed]) => randomNeurons(model, count, seed));

  test("a factor multiplies the named columns of c_fc, and nothing else", async () => {
    const { dMlp } = model.config;
    const neurons = randomNeurons(model, 9, 4);
    const changed = await unaligned(model, neurons, 10);
    for (const [name, values] of original) {
      const layer = Number(/^h\.(\d+)\.mlp\.c_fc\.weight$/.exec(name)?.[1] ?? -1);
      const named = new Set(neurons.filter((one) => one.layer === layer).map(({ neuron }) => neuron));
      const expected = values.map((value, i) => (named.has(i % dMlp) ? Math.fround(value * 10) : value));
      expect(changed.get(name), name).toEqual(expected);
    }
    expect(await weightsOf(model)).toEqual(original);
  });

  test("a factor of 1, or no neurons, changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(some, async (neurons) => {
        expect(await unaligned(model, neurons, 1)).toEqual(original);
        expect(await unaligned(model, [], 10)).toEqual(original);
      }),
      { numRuns: runs(5) },
    );
  });

  test("the order of the neurons does not matter, and the inverse factor restores the weights", async () => {
    await fc.assert(
      fc.asyncProperty(some, async (neurons) => {
        const doubled = await unalign(model, neurons, 2);
        try {
          expect(await unaligned(model, [...neurons].reverse(), 2)).toEqual(await weightsOf(doubled));
          expect(await unaligned(doubled, neurons, 0.5)).toEqual(original);
        } finally {
          doubled.dispose();
        }
      }),
      { numRuns: runs(5) },
    );
  });

  test("a neuron that is not there, or named twice, is refused, and nothing is left in memory", async () => {
    const { nLayer, dMlp } = model.config;
    const [one] = randomNeurons(model, 1, 1) as [Neuron];
    await expectNoneLeft(async () => {
      for (const wrong of [
        { layer: 0, neuron: dMlp },
        { layer: nLayer, neuron: 0 },
        { layer: 0, neuron: -1 },
        { layer: 0, neuron: 1.5 },
      ]) {
        await expect(unalign(model, [one, wrong], 10)).rejects.toThrow(`expected one below ${dMlp}`);
      }
      await expect(unalign(model, [one, { ...one }], 10)).rejects.toThrow("twice, expected each once");
      (await unalign(model, [one], 10)).dispose();
    });
  });
});
