import { describe, expect, test } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import { layOutPairs } from "../../../src/alignment/dpo/batch.js";
import { sideLogProbs } from "../../../src/alignment/dpo/log-probs.js";
import { RmsProp } from "../../../src/alignment/dpo/optimizer.js";
import { trainedEntries, trainedParameters, type Trainable } from "../../../src/alignment/dpo/trainable.js";
import { weightsOf } from "../../../src/alignment/dpo/checkpoint.js";
import { dpoStep } from "../../../src/alignment/dpo/trainer.js";
import { onEachBackend } from "../../backends.js";
import { CONFIG, modelFor, pairsFor, quick } from "./cases.js";

const { dModel, dMlp } = CONFIG;
const D = { layer: 1, neuron: 3 };

/** Whether an entry (row, column) of a parameter is to be trained. */
type Expected = (name: string, row: number, column: number) => boolean;

const MASKS: [string, Trainable, Expected, number?][] = [
  ["all", "all", () => true],
  ["biases", "biases", (name) => name.endsWith(".bias")],
  ["value vectors", "value vectors", (name) => name.endsWith("mlp.c_proj.weight"), 2 * dMlp * dModel],
  ["key vectors", "key vectors", (name) => name.endsWith("mlp.c_fc.weight"), 2 * dMlp * dModel],
  ["a layer", { layers: [1] }, (name) => name.startsWith("h.1.")],
  ["MLPs of a layer", { layers: [0], names: ["h.*.mlp.*"] }, (name) => name.startsWith("h.0.mlp.")],
  ["layer norms", { names: ["*ln_*"] }, (name) => name.includes("ln_")],
  [
    "two value vectors",
    { valueVectors: [D, { layer: 1, neuron: 0 }] },
    (name, row) => name === "h.1.mlp.c_proj.weight" && (row === 3 || row === 0),
    2 * dModel,
  ],
  [
    "a key vector",
    { keyVectors: [D] },
    (name, _, column) => name === "h.1.mlp.c_fc.weight" && column === 3,
    dModel,
  ],
  [
    "a key vector with its bias, a value vector, and a parameter",
    { keyVectors: [D], keyBiases: true, valueVectors: [D], names: ["ln_f.bias"] },
    (name, row, column) =>
      name === "ln_f.bias" ||
      (name === "h.1.mlp.c_fc.weight" && column === 3) ||
      (name === "h.1.mlp.c_fc.bias" && column === 3) ||
      (name === "h.1.mlp.c_proj.weight" && row === 3),
    3 * dModel + 1,
  ],
];

onEachBackend(({ some }) => {
  test.each(some(MASKS))(
    "%s: what is named changes, and every other bit stays",
    async (_, trainable, expected, entries) => {
      const policy = modelFor(1);
      const settings = quick({ maxGradNorm: 1e-3 });
      const pairs = pairsFor(6);
      const sides = sideLogProbs(policy, layOutPairs(pairs, settings, CONFIG));
      const values = await sides.data();
      sides.dispose();
      const reference = pairs.map((__, i) => [values[i]!, values[6 + i]!] as const);
      const before = await weightsOf(policy);
      const tensors = tf.memory().numTensors;
      const trained = trainedParameters(policy, trainable);
      if (entries !== undefined) expect(trainedEntries(policy, trained)).toBe(entries);
      const optimizer = new RmsProp(policy, trained);
      for (let step = 0; step < 2; step += 1)
        await dpoStep({ policy, optimizer, pairs, reference, settings }, 1e-2);
      optimizer.dispose();
      expect(tf.memory().numTensors).toBe(tensors);
      const after = await weightsOf(policy);
      for (const [name, old] of before) {
        const width = policy.weight(name).shape.at(-1)!;
        const moved = [...old].map((value, i) => !Object.is(value, after.get(name)![i]));
        const meant = moved.map((__, i) => expected(name, Math.floor(i / width), i % width));
        moved.forEach((changed, i) => {
          if (changed) expect(meant[i], `${name} ${i}`).toBe(true);
        });
        // Positions and tokens that no sequence has, and keys' biases, have no gradient to speak of.
        if (meant.some(Boolean) && !/^w[tp]e/.test(name) && !name.endsWith("c_attn.bias")) {
          const still = moved.filter((changed, i) => meant[i] && !changed).length;
          expect(still, name).toBeLessThanOrEqual(0.05 * meant.filter(Boolean).length);
        }
        if (meant.some(Boolean)) expect(moved.some(Boolean), name).toBe(true);
      }
      policy.dispose();
    },
  );
});

describe("the norm that is clipped", () => {
  test("is over trained entries only", async () => {
    const norms: number[] = [];
    for (const trainable of ["all", { valueVectors: [D] }] as Trainable[]) {
      const policy = modelFor(1);
      const pairs = pairsFor(3);
      const optimizer = new RmsProp(policy, trainedParameters(policy, trainable));
      const reference = pairs.map(() => [-10, -10] as const);
      const { gradNorm } = await dpoStep({ policy, optimizer, pairs, reference, settings: quick() }, 1e-9);
      norms.push(gradNorm);
      optimizer.dispose();
      policy.dispose();
    }
    expect(norms[1]).toBeGreaterThan(0);
    expect(norms[1]).toBeLessThan(0.3 * norms[0]!);
  });
});
