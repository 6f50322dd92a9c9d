import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { layOutPairs } from "../../../src/alignment/dpo/batch.js";
import { ReferenceLogProbs, roundedToHalf, sideLogProbs } from "../../../src/alignment/dpo/log-probs.js";
import { metricsOf, readFindings, type Findings } from "../../../src/alignment/dpo/metrics.js";
import { RmsProp } from "../../../src/alignment/dpo/optimizer.js";
import { DPO_SETTINGS, resolveSettings, type DpoSettings } from "../../../src/alignment/dpo/settings.js";
import { trainedParameters } from "../../../src/alignment/dpo/trainable.js";
import { dpoGradient, dpoStep, evaluate } from "../../../src/alignment/dpo/trainer.js";
import type { TokenPair } from "../../../src/alignment/preference-pair.js";
import type { GPT2 } from "../../../src/model/index.js";
import { openBackend } from "../../../src/tensors/index.js";
import { onEachBackend } from "../../backends.js";
import { expectNoneLeft } from "../../none-left.js";
import { relativeError } from "../../model/cases.js";
import { backward, forward, layOut, rmspropStep } from "../../referee/index.js";
import { officialBatch, officialLoss } from "../../referee/official-dpo.js";
import { policyLoss, sequencesOf } from "../../referee/preferences.js";
import { CONFIG, exactWeightsFor, modelFor, newRunFolder, pairsFor, quick } from "./cases.js";

type Sides = [number, number][];

async function sidesOf(model: GPT2, pairs: readonly TokenPair[], settings: DpoSettings): Promise<Sides> {
  const tensor = sideLogProbs(model, layOutPairs(pairs, settings, CONFIG));
  const values = await tensor.data();
  tensor.dispose();
  return pairs.map((_, i) => [values[i]!, values[pairs.length + i]!]);
}

async function gradientOf(
  policy: GPT2,
  pairs: readonly TokenPair[],
  reference: Sides,
  settings: DpoSettings,
  referenceModel?: GPT2,
): Promise<Findings & { gradients: Map<string, Float32Array> }> {
  const names = policy.parameterNames;
  const computed = dpoGradient({ policy, names, pairs, reference, settings, referenceModel });
  const findings = await readFindings(computed, reference);
  const gradients = new Map<string, Float32Array>();
  for (const [name, tensor] of computed.gradients) {
    gradients.set(name, await tensor.data<"float32">());
    tensor.dispose();
  }
  return { ...findings, gradients };
}

const PUBLISHED = resolveSettings("as-published", { referencePrecision: "float32" });

onEachBackend(({ long }) => {
  test("the loss, its gradient and four steps are those of float64", async () => {
    const [policy, frozen] = [modelFor(1), modelFor(2)];
    const settings = quick({ maxGradNorm: 0.2 });
    const pairs = pairsFor(5);
    const reference = await sidesOf(frozen, pairs, settings);
    const exactReference = forward(exactWeightsFor(2), CONFIG, layOut(sequencesOf(pairs), CONFIG));
    const optimizer = new RmsProp(policy, trainedParameters(policy));
    let weights = exactWeightsFor(1);
    const averages = new Map<string, Float64Array>();
    for (let step = 0; step < 4; step += 1) {
      const pass = forward(weights, CONFIG, layOut(sequencesOf(pairs), CONFIG));
      const { loss, dLogits } = policyLoss(pass, exactReference, pairs, settings.beta);
      const exact = backward(pass, dLogits).weights;
      const norm = Math.sqrt(
        [...exact.values()].flatMap((own) => [...own]).reduce((sum, x) => sum + x * x, 0),
      );
      const clipped = new Map(
        [...exact].map(([name, own]) => [name, own.map((x) => (0.2 * x) / (norm + 1e-6))]),
      );
      if (step === 0) {
        const { gradients } = await gradientOf(policy, pairs, reference, settings);
        // The gradient by keys' biases is 0: what is left of it is rounding, small against the others.
        for (const [name, own] of gradients) {
          const size = Math.max(...clipped.get(name)!.map(Math.abs));
          expect(relativeError(own, clipped.get(name)!) * Math.min(1, size / 1e-3), name).toBeLessThan(1e-3);
        }
      }
      const found = await dpoStep({ policy, optimizer, pairs, reference, settings }, 1e-3);
      expect(norm).toBeGreaterThan(0.2);
      expect(found.gradNorm / norm).toBeCloseTo(1, 4);
      expect(metricsOf(found.scores, settings).loss).toBeCloseTo(loss, 4);
      weights = rmspropStep(weights, clipped, averages, { learningRate: 1e-3 });
    }
    for (const [name, exact] of weights) {
      const own = await policy.weight(name).data();
      // Steps of RMSProp are as long for rounding as for a gradient: those of keys' biases are anyone's.
      const key = (i: number): boolean => name.endsWith("c_attn.bias") && i >= 8 && i < 16;
      own.forEach((value, i) => {
        if (!key(i)) expect(Math.abs(value - exact[i]!), `${name} ${i}`).toBeLessThan(2e-4);
      });
    }
    optimizer.dispose();
    policy.dispose();
    frozen.dispose();
  });

  test("as published: log-probabilities, loss and gradient are those of the official batch in float64", async () => {
    const [policy, frozen] = [modelFor(1), modelFor(2)];
    // An end-of-text token within a prompt and within a side among them.
    const pairs = pairsFor(4);
    pairs[0] = { id: "e", prompt: [4, 22, 5, 6], chosen: [7, 22, 8, 9, 1], rejected: [2, 2] };
    const batch = officialBatch(pairs, CONFIG);
    const pass = forward(exactWeightsFor(1), CONFIG, batch);
    const exact = officialLoss(pass, forward(exactWeightsFor(2), CONFIG, batch), 0.1);
    const own = await sidesOf(policy, pairs, PUBLISHED);
    expect(relativeError([...own.map((s) => s[0]), ...own.map((s) => s[1])], exact.logProbs)).toBeLessThan(
      1e-5,
    );

    const reference = await sidesOf(frozen, pairs, PUBLISHED);
    const found = await gradientOf(policy, pairs, reference, PUBLISHED);
    expect(metricsOf(found.scores, PUBLISHED).loss).toBeCloseTo(exact.loss, 5);
    for (const [name, expected] of backward(pass, exact.dLogits).weights) {
      expect(relativeError(found.gradients.get(name)!, expected), name).toBeLessThan(2e-3);
    }
    policy.dispose();
    frozen.dispose();
  });

  test("the loss is ln 2 while the policy is its own reference, whatever the batches", async () => {
    const model = modelFor(1);
    const pairs = pairsFor(9);
    const settings = quick({ microBatchSize: 2 });
    const whole = await sidesOf(model, pairs, settings);
    const { scores } = await gradientOf(model, pairs, whole, settings);
    expect(Math.abs(metricsOf(scores, settings).loss - Math.LN2)).toBeLessThan(1e-6);
    model.dispose();
  });

  for (const [name, settings] of [
    ["as corrected", quick()],
    ["as published", resolveSettings("as-published", { batchSize: 8 })],
  ] as const) {
    test(`eight pairs at once and one pair eight times are the same step, ${name}`, async () => {
      const pairs = pairsFor(8);
      const results = [];
      for (const microBatchSize of [0, 1, 3]) {
        const [policy, frozen] = [modelFor(1), modelFor(2)];
        const own = { ...settings, microBatchSize };
        const reference = await sidesOf(frozen, pairs, own);
        const { gradients, scores } = await gradientOf(policy, pairs, reference, own);
        const optimizer = new RmsProp(policy, trainedParameters(policy, "all"));
        await dpoStep({ policy, optimizer, pairs, reference, settings: own }, 1e-4);
        const weight = await policy.weight("h.1.mlp.c_proj.weight").data();
        results.push({ loss: metricsOf(scores, own).loss, gradients, weight, scores });
        optimizer.dispose();
        policy.dispose();
        frozen.dispose();
      }
      const [whole, ...others] = results;
      for (const other of others) {
        expect(Math.abs(other.loss - whole!.loss)).toBeLessThan(1e-5);
        for (const [key, gradient] of whole!.gradients) {
          const differences = other.gradients.get(key)!.map((x, i) => Math.abs(x - gradient[i]!));
          expect(Math.max(...differences), key).toBeLessThan(1e-5);
        }
        other.weight.forEach((value, i) => expect(Math.abs(value - whole!.weight[i]!)).toBeLessThan(1e-5));
        other.scores.forEach(({ policy }, i) =>
          expect(policy[0]).toBeCloseTo(whole!.scores[i]!.policy[0], 4),
        );
      }
    });
  }

  test("log-probabilities that were computed once are those of a live reference, whatever the order", async () => {
    const model = modelFor(1);
    const pairs = pairsFor(13);
    const [training, validation] = [pairs.slice(0, 9), pairs.slice(9)];
    for (const base of [quick(), PUBLISHED]) {
      const settings = {
        ...base,
        batchSize: 4,
        evaluationBatchSize: 3,
        epochs: 2,
        shuffle: base !== PUBLISHED,
      };
      const path = join(newRunFolder(), "reference.safetensors");
      const parts = { training, validation };
      const once = await ReferenceLogProbs.prepare(path, model, parts, settings, { of: "test" });
      const members = [4, 5, 6, 7];
      const live = await sidesOf(
        model,
        members.map((i) => training[i]!),
        settings,
      );
      const kept = once.ofBatch(1, 4, members);
      kept.forEach((sides, i) => sides.forEach((x, side) => expect(x).toBeCloseTo(live[i]![side]!, 4)));
      const last = await sidesOf(model, validation.slice(3), settings);
      once.ofValidation(3, 1)[0]!.forEach((x, side) => expect(x).toBeCloseTo(last[0]![side]!, 4));
    }
    model.dispose();
  });

  test("KL(reference ‖ policy) is float64's, in the loss and in an evaluation", async () => {
    const [policy, frozen] = [modelFor(1), modelFor(2)];
    const settings = quick({ klGamma: 0.3 });
    const pairs = pairsFor(3);
    const sequences = sequencesOf(pairs);
    const [own, other] = [1, 2].map((seed) =>
      forward(exactWeightsFor(seed), CONFIG, layOut(sequences, CONFIG)),
    );
    const exact = sequences.map((sequence, row) => {
      const continuation = row % 2 === 0 ? pairs[row / 2]!.chosen : pairs[(row - 1) / 2]!.rejected;
      let sum = 0;
      for (let i = 0; i < continuation.length; i += 1) {
        const start = ((row + 1) * own!.batch.positions - continuation.length + i - 1) * CONFIG.vocabSize;
        for (let j = start; j < start + CONFIG.vocabSize; j += 1) {
          const [p, q] = [own!.logProbs.values[j]!, other!.logProbs.values[j]!];
          sum += Math.exp(q) * (q - p);
        }
      }
      return sum / continuation.length;
    });
    const reference = await sidesOf(frozen, pairs, settings);
    const { scores } = await gradientOf(policy, pairs, reference, settings, frozen);
    scores.forEach(({ kl }, i) => kl.forEach((x, side) => expect(x).toBeCloseTo(exact[2 * i + side]!, 4)));
    const ofValidation = (first: number, count: number): Sides => reference.slice(first, first + count);
    const metrics = await evaluate(policy, pairs, { ofValidation }, settings, frozen);
    const mean = (side: number): number => (exact[side]! + exact[2 + side]! + exact[4 + side]!) / 3;
    expect(metrics["kl/chosen"]).toBeCloseTo(mean(0), 4);
    expect(metrics["kl/rejected"]).toBeCloseTo(mean(1), 4);
    expect(metrics.loss).toBeCloseTo(metricsOf(scores, settings).loss, 4);
    policy.dispose();
    frozen.dispose();
  });

  long("the gradient of the KL is that of differences", async () => {
    const [policy, frozen] = [modelFor(1), modelFor(2)];
    for (const base of [quick(), PUBLISHED]) {
      const settings = { ...base, klGamma: 2, maxGradNorm: 1e9 };
      // Prompts of one length: what a pad on the left makes of scores that its mask swallows is no derivative.
      const pairs = pairsFor(2).map((pair, i) => ({ ...pair, prompt: [3, 4 + i] }));
      const reference = await sidesOf(frozen, pairs, settings);
      const lossAt = async (name: string, index: number, by: number): Promise<number> => {
        const values = Float32Array.from(await policy.weight(name).data());
        values[index]! += by;
        const moved = policy.withWeights(new Map([[name, tf.tensor(values, policy.weight(name).shape)]]));
        const { scores } = await gradientOf(moved, pairs, reference, settings, frozen);
        moved.dispose();
        return metricsOf(scores, settings).loss;
      };
      const { gradients } = await gradientOf(policy, pairs, reference, settings, frozen);
      for (const [name, index] of [
        ["h.1.mlp.c_fc.weight", 5],
        ["wte.weight", 30],
        ["ln_f.weight", 2],
      ] as const) {
        const slope = ((await lossAt(name, index, 2e-3)) - (await lossAt(name, index, -2e-3))) / 4e-3;
        expect(gradients.get(name)![index], name).toBeCloseTo(slope, 2);
      }
    }
    policy.dispose();
    frozen.dispose();
  });

  test("a step, an evaluation and a rounded reference leave no tensor behind", async () => {
    const [policy, frozen] = [modelFor(1), modelFor(2)];
    const pairs = pairsFor(5);
    for (const settings of [quick(), quick({ klGamma: 0.1, microBatchSize: 2 }), PUBLISHED]) {
      const reference = await sidesOf(frozen, pairs, settings);
      await expectNoneLeft(async () => {
        const trained = trainedParameters(policy, {
          valueVectors: [{ layer: 0, neuron: 3 }],
          names: ["*.bias"],
        });
        const optimizer = new RmsProp(policy, trained);
        const request = { policy, optimizer, pairs, reference, settings, referenceModel: frozen };
        await dpoStep(request, 1e-4);
        await dpoStep(request, 1e-4);
        optimizer.dispose();
        const ofValidation = (first: number, count: number): Sides => reference.slice(first, first + count);
        await evaluate(policy, pairs, { ofValidation }, settings, frozen);
        (await roundedToHalf(policy)).dispose();
      });
    }
    policy.dispose();
    frozen.dispose();
  });
});

describe("what each quirk does to the numbers", () => {
  beforeAll(async () => {
    await openBackend("wasm");
  });
  const { corrected } = DPO_SETTINGS;
  const both = async (overrides: Partial<DpoSettings>, pairs: TokenPair[]): Promise<[Sides, Sides]> => {
    const model = modelFor(1);
    const sides = [
      await sidesOf(model, pairs, corrected),
      await sidesOf(model, pairs, { ...corrected, ...overrides }),
    ];
    model.dispose();
    return sides as [Sides, Sides];
  };
  const gap = ([chosen, rejected]: [number, number]): number => chosen - rejected;

  test("prompts that count change log-probabilities, and not the difference of a pair's sides", async () => {
    const [without, withPrompt] = await both({ countPrompt: true }, pairsFor(4));
    withPrompt.forEach((sides, i) => {
      const longer = pairsFor(4)[i]!.prompt.length > 1;
      if (longer) expect(sides[0]).toBeLessThan(without[i]![0] - 0.1);
      expect(gap(sides)).toBeCloseTo(gap(without[i]!), 4);
    });
  });

  test("token 0 on the shorter side makes that side less likely, by what it says of the others' lengths", async () => {
    const pairs = [{ id: "a", prompt: [1, 2], chosen: [3, 4, 5], rejected: [6] }];
    const [without, withFilling] = await both({ countSidePadding: true }, pairs);
    expect(withFilling[0]![0]).toBeCloseTo(without[0]![0], 4);
    expect(withFilling[0]![1]).toBeLessThan(without[0]![1] - 0.5);
  });

  test("positions from the left edge change a short prompt beside a long one, and not the long one", async () => {
    const pairs = [
      { id: "long", prompt: [1, 2, 3, 4], chosen: [5, 6], rejected: [7, 8] },
      { id: "short", prompt: [9], chosen: [10, 11], rejected: [12, 13] },
    ];
    const [without, shifted] = await both({ positions: "left edge" }, pairs);
    expect(shifted[0]![0]).toBeCloseTo(without[0]![0], 4);
    expect(Math.abs(shifted[1]![0] - without[1]![0])).toBeGreaterThan(1e-2);
  });

  test("an end-of-text token that is masked does not count", async () => {
    const pairs = [{ id: "a", prompt: [1, 2], chosen: [3, 22], rejected: [4, 5] }];
    const [without, masked] = await both({ maskEos: true }, pairs);
    expect(masked[0]![0]).toBeGreaterThan(without[0]![0]);
    expect(masked[0]![1]).toBeCloseTo(without[0]![1], 4);
  });

  test("a reference of half precision: the loss does not begin at ln 2", async () => {
    const model = modelFor(1);
    const half = await roundedToHalf(model);
    const pairs = pairsFor(6);
    const { scores } = await gradientOf(model, pairs, await sidesOf(half, pairs, corrected), quick());
    const off = Math.abs(metricsOf(scores, corrected).loss - Math.LN2);
    expect(off).toBeGreaterThan(1e-6);
    expect(off).toBeLessThan(1e-2);
    half.dispose();
    model.dispose();
  });
});
