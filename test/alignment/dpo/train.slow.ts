import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  DPO_SETTINGS,
  loadPolicy,
  readLog,
  trainDpo,
  type DpoOptions,
  type DpoProgress,
  type DpoResult,
} from "../../../src/alignment/dpo/index.js";
import { orderOf, preparePairs } from "../../../src/alignment/dpo/pairs.js";
import { resolveSettings } from "../../../src/alignment/dpo/settings.js";
import { weightsChecksum } from "../../../src/alignment/dpo/checkpoint.js";
import { learningRateAt } from "../../../src/alignment/dpo/trainer.js";
import type { TokenPair } from "../../../src/alignment/preference-pair.js";
import { GPT2 } from "../../../src/model/index.js";
import { openBackend } from "../../../src/tensors/index.js";
import { onEachBackend } from "../../backends.js";
import { CONFIG, filesOf, modelFor, newRunFolder, pairsFor, QUICK, quick } from "./cases.js";

const PAIRS = pairsFor(30);

function options(overrides: Partial<DpoOptions> = {}): DpoOptions {
  const model = overrides.model ?? modelFor(1);
  return { model, pairs: PAIRS, folder: newRunFolder(), ...QUICK, ...overrides };
}

async function trained(
  overrides: Partial<DpoOptions> = {},
): Promise<DpoResult & { folder: string; model: GPT2 }> {
  const own = options(overrides);
  return { ...(await trainDpo(own)), folder: own.folder, model: own.model };
}

onEachBackend(() => {
  test("a run learns its pairs, keeps its policy, and leaves no tensors but the model's", async () => {
    const model = modelFor(1);
    const before = tf.memory().numTensors;
    const { folder, step, examples, stopped, log } = await trained({ model, patience: 100, epochs: 3 });
    expect([step, examples, stopped]).toEqual([18, 72, "epochs"]);
    expect(tf.memory().numTensors).toBe(before);
    const losses = readLog(log)
      .filter(({ kind }) => kind === "train")
      .map(({ loss }) => loss);
    expect(losses[0]).toBeCloseTo(Math.LN2, 5);
    expect(Math.max(...losses.slice(-3))).toBeLessThan(0.65);
    const kept = await loadPolicy(folder);
    expect(await weightsChecksum(kept)).toBe(await weightsChecksum(model));
    kept.dispose();
    model.dispose();
  });
});

beforeAll(async () => {
  await openBackend("wasm");
});

describe("the best policy", () => {
  test("is the one of the lowest validation loss, in the model, in policy/ and for loadPolicy", async () => {
    // A rate that soon does harm to held-out pairs.
    const run = await trained({ learningRate: 2e-2, epochs: 6, patience: 3 });
    const valid = readLog(run.log).filter(({ kind }) => kind === "valid");
    const lowest = valid.reduce((best, record) => (record.loss < best.loss ? record : best));
    expect(run.best).toEqual({ step: lowest.step, loss: lowest.loss });
    expect(run.validation.loss).toBeCloseTo(lowest.loss, 6);
    const checksum = await weightsChecksum(run.model);
    for (const load of [() => loadPolicy(run.folder), () => GPT2.load(run.policyFolder)]) {
      const policy = await load();
      expect(await weightsChecksum(policy)).toBe(checksum);
      policy.dispose();
    }
    const last = await GPT2.load(run.lastFolder);
    expect(await weightsChecksum(last)).not.toBe(checksum);
    last.dispose();
    run.model.dispose();
  });

  test("patience counts evaluations since the lowest loss, and ends the run", async () => {
    const run = await trained({ learningRate: 2e-2, epochs: 50, patience: 3 });
    const valid = readLog(run.log).filter(({ kind }) => kind === "valid");
    expect(run.stopped).toBe("patience");
    expect(valid.at(-1)?.since_improved).toBe(3);
    expect(valid.slice(0, -1).every(({ since_improved: since = 0 }) => since < 3)).toBe(true);
    expect(valid.at(-4)?.loss).toBe(run.best.loss);
    run.model.dispose();
  });

  test("with a least improvement a run ends that gets better by less, and keeps the lowest loss all the same", async () => {
    const options = { learningRate: 1e-3, epochs: 3, patience: 2 };
    const patient = await trained({ ...options, patience: 100 });
    const all = readLog(patient.log).filter(({ kind }) => kind === "valid");
    const run = await trained({ ...options, minImprovement: 10 }); // nats: more than a loss of ln 2 can ever fall
    const valid = readLog(run.log).filter(({ kind }) => kind === "valid");
    expect(run.stopped).toBe("patience");
    expect(valid.map(({ since_improved: since }) => since)).toEqual([0, 1, 2]);
    expect(valid.map(({ loss }) => loss)).toEqual(all.slice(0, 3).map(({ loss }) => loss));
    expect(run.best.loss).toBe(Math.min(...valid.map(({ loss }) => loss)));
    expect(run.best.loss).toBeLessThan(Math.LN2);
    patient.model.dispose();
    run.model.dispose();
  });

  test("is evaluated before the first step, and then as often as asked for", async () => {
    const { log, model } = await trained({ evaluateEvery: 10, batchSize: 4, epochs: 2, patience: 100 });
    const at = readLog(log)
      .filter(({ kind }) => kind === "valid")
      .map(({ examples }) => examples);
    // As soon as ten more, or a multiple of ten, have been seen; and at the end.
    expect(at).toEqual([0, 12, 20, 32, 40, 48]);
    model.dispose();
  });
});

describe("a reference of its own", () => {
  test("makes the validation KL exact, and a policy that begins as it with a KL of 0", async () => {
    const reference = modelFor(1);
    const { log, model } = await trained({ reference, epochs: 1 });
    const [first, ...others] = readLog(log).filter(({ kind }) => kind === "valid");
    expect(first?.kl_kind).toBe("exact");
    expect(first?.["kl/chosen"]).toBeCloseTo(0, 6);
    expect(others.at(-1)?.["kl/chosen"]).toBeGreaterThan(1e-4);
    reference.dispose();
    model.dispose();
  });

  test("of half precision is the one that the KL is taken to as well", async () => {
    const { log, model } = await trained({ klGamma: 0.1, referencePrecision: "float16", epochs: 1 });
    const [first] = readLog(log);
    expect(first?.["kl/chosen"]).toBeGreaterThan(0);
    expect(first?.["kl/chosen"]).toBeLessThan(1e-3);
    model.dispose();
  });

  test("without one, a KL in the loss is to the policy as it begins, and holds the policy back", async () => {
    const far = async (klGamma: number): Promise<number> => {
      const { log, model } = await trained({ klGamma, epochs: 4, patience: 100 });
      const records = readLog(log).filter(({ kind }) => kind === "valid");
      model.dispose();
      return Math.abs(records.at(-1)?.["rewards/margins"] ?? Number.NaN);
    };
    expect(await far(30)).toBeLessThan(0.7 * (await far(0)));
  });
});

describe("the log", () => {
  let run: Awaited<ReturnType<typeof trained>>;
  const news: DpoProgress[] = [];
  beforeAll(async () => {
    run = await trained({ epochs: 1, onProgress: (progress) => news.push(progress) });
    run.model.dispose();
  });

  test("has a record per step and per evaluation, under the names that users of TRL know", () => {
    const records = readLog(run.log);
    expect(records.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
      ...["valid 0", "train 1", "train 2", "valid 2", "train 3", "train 4", "valid 4"],
      ...["train 5", "train 6", "valid 6"],
    ]);
    const [valid, train] = records;
    const means = ["loss", "rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins"];
    const others = ["logps/chosen", "logps/rejected", "kl/chosen", "kl/rejected"];
    for (const name of [...means, ...others]) {
      expect(valid).toHaveProperty([name], expect.any(Number));
      expect(train).toHaveProperty([name], expect.any(Number));
    }
    expect(train).toMatchObject({ kl_kind: "sampled", examples: 4, epoch: 0 });
    expect(train?.learning_rate).toBeCloseTo(1e-3 / 3, 12);
    expect(train?.grad_norm).toBeGreaterThan(0);
    expect(train?.tokens_per_second).toBeGreaterThan(0);
    expect(train?.pairs).toHaveLength(4);
  });

  test("margin, rewards and log-probabilities fit together", () => {
    for (const record of readLog(run.log)) {
      expect(record["rewards/margins"]).toBeCloseTo(record["rewards/chosen"] - record["rewards/rejected"], 9);
      expect(record["rewards/accuracies"]).toBeGreaterThanOrEqual(0);
      expect(record["rewards/accuracies"]).toBeLessThanOrEqual(1);
    }
  });

  test("progress tells of pairs done, of the reference's first and then of the training's", () => {
    const reference = news.filter(({ phase }) => phase === "reference");
    expect(reference.at(-1)).toMatchObject({ done: 30, total: 30 });
    expect(news.at(-1)).toMatchObject({ phase: "training", done: 24, total: 24, step: 6 });
    expect(news.at(-1)?.bestValidationLoss).toBe(run.best.loss);
  });
});

describe("the order of pairs", () => {
  test("is another in each epoch, the same for a seed, and each epoch takes every pair once", () => {
    const settings = { shuffle: true, seed: 5 };
    const orders = [0, 1, 2].map((epoch) => orderOf(epoch, 50, settings));
    expect(new Set(orders.map((order) => order.join())).size).toBe(3);
    for (const order of orders)
      expect([...order].sort((a, b) => a - b)).toEqual(orderOf(0, 50, { ...settings, shuffle: false }));
    expect(orderOf(1, 50, settings)).toEqual(orders[1]);
    expect(orderOf(1, 50, { shuffle: true, seed: 6 })).not.toEqual(orders[1]);
  });

  test("as published is that of the pairs, once", async () => {
    const { log, stopped, model } = await trained({
      settings: "as-published",
      ...QUICK,
      epochs: undefined,
      patience: 100,
    });
    const seen = readLog(log).flatMap(({ pairs = [] }) => pairs);
    expect(seen).toEqual(PAIRS.slice(0, 24).map(({ id }) => id));
    expect(stopped).toBe("epochs");
    model.dispose();
  });

  test("the learning rate grows over warmupSteps + 1 steps", () => {
    const rates = [0, 1, 149, 150, 151].map((step) => learningRateAt(step, DPO_SETTINGS.corrected));
    [1 / 151, 2 / 151, 150 / 151, 1, 1].forEach((share, i) => expect(rates[i]).toBeCloseTo(1e-6 * share, 15));
  });
});

describe("pairs", () => {
  const prepare = (pairs: TokenPair[], overrides = {}) =>
    preparePairs(pairs, quick({ validationSize: 1, ...overrides }), CONFIG);
  const pair = (id: string, chosen: number[], rejected: number[], prompt = [1, 2, 3]): TokenPair => ({
    id,
    prompt,
    chosen,
    rejected,
  });
  const two = [pair("x", [1], [2]), pair("y", [3], [4])];

  test.each([
    ["an empty side", [pair("a", [], [1])], /pair a: chosen is empty, expected at least one token/],
    ["an empty prompt", [pair("a", [1], [2], [])], /pair a: prompt is empty/],
    ["equal sides", [pair("a", [1, 2], [1, 2])], /pair a: chosen and rejected are the same tokens/],
    [
      "a token outside the vocabulary",
      [pair("a", [1, 23], [1])],
      /pair a: token 23 at position 1 of chosen, expected 0 to 22/,
    ],
    [
      "a token that is no number",
      [pair("a", [1], [Number.NaN])],
      /pair a: token NaN at position 0 of rejected/,
    ],
    ["an id twice", [pair("a", [1], [2]), pair("a", [3], [4])], /two pairs have the id "a"/],
    [
      "too few",
      [pair("a", [1], [2])],
      /1 of 1 pairs are usable, 1 of them to be held out: expected at least 2/,
    ],
    ["none", [], /0 of 0 pairs are usable/],
  ])("%s: one line that names the pair", (_, pairs, message) => {
    expect(() => prepare(pairs)).toThrow(message);
  });

  test("the last ones are held out", () => {
    const { training, validation } = prepare(PAIRS, { validationSize: 7 });
    expect(training).toEqual(PAIRS.slice(0, 23));
    expect(validation).toEqual(PAIRS.slice(23));
  });

  test("a copy is left out and named, unless it is to be kept", () => {
    const pairs = [...two, pair("z", [1], [2])];
    expect(prepare(pairs).report).toMatchObject({ given: 3, training: 1, validation: 1, duplicates: ["z"] });
    expect(prepare(pairs, { dropDuplicates: false }).report).toMatchObject({ training: 2, duplicates: [] });
  });

  test("what is too long keeps its first tokens; sides that are the same then are left out", () => {
    const pairs = [pair("long", [1, 2, 3], [2, 3, 4, 5]), pair("alike", [7, 8, 9], [7, 8, 10]), ...two];
    const { training, report } = prepare(pairs, { maxPromptTokens: 2, maxNewTokens: 2 });
    expect(training[0]).toEqual({ id: "long", prompt: [1, 2], chosen: [1, 2], rejected: [2, 3] });
    expect(report).toMatchObject({ truncated: 3, sameOnceTruncated: ["alike"] });
  });

  test("what was left out and cut is told with the result", async () => {
    const copy = { ...PAIRS[0]!, id: "copy" };
    const { notes, model } = await trained({ pairs: [copy, ...PAIRS], maxPromptTokens: 3, epochs: 1 });
    expect(notes).toEqual([
      expect.stringMatching(/^\d+ pairs were cut to their first tokens$/),
      "1 pairs are copies of others and left out: pair-0",
    ]);
    model.dispose();
  });
});

describe("what makes no sense is refused before anything is written", () => {
  test.each([
    [{ batchSize: 0 }, "DPO: batchSize is 0, expected an integer of at least 1"],
    [{ beta: -1 }, "DPO: beta is -1, expected a number above 0"],
    [{ learningRate: Number.NaN }, "DPO: learningRate is null, expected a number above 0"],
    [{ warmupSteps: 1.5 }, "DPO: warmupSteps is 1.5, expected an integer of at least 0"],
    [{ referencePrecision: "int8" }, 'DPO: referencePrecision is "int8", expected "float32" or "float16"'],
    [{ shuffle: "yes" }, 'DPO: shuffle is "yes", expected true or false'],
    [
      { settings: "published" },
      'unknown settings of DPO: published (expected "corrected" or "as-published")',
    ],
    [{ leraningRate: 1 }, "unknown setting of DPO: leraningRate (did you mean learningRate?)"],
    [{ trainable: "bias" }, /unknown set of parameters to train: bias/],
    [{ trainable: {} }, /names no parameter/],
    [{ trainable: { layers: [2] } }, "DPO: no layer 2 to train: expected 0 to 1"],
    [
      { trainable: { names: ["h.*.mlp.c_pro.weight"] } },
      /no parameter to train is called h\.\*\.mlp\.c_pro\.weight/,
    ],
    [
      { trainable: { keyVectors: [{ layer: 1, neuron: 12 }] } },
      /no neuron MLP\.v_12\^1 to train: the model has 2 layers of 12/,
    ],
  ])("%j", async (overrides, message) => {
    const own = options(overrides as Partial<DpoOptions>);
    await expect(trainDpo(own)).rejects.toThrow(message);
    expect(filesOf(own.folder)).toEqual({});
    own.model.dispose();
  });

  test("settings by name are complete, and as published has every quirk", () => {
    expect(resolveSettings("as-published")).toMatchObject({
      ...{ countPrompt: true, countSidePadding: true, maskEos: true, positions: "left edge", shuffle: false },
      ...{ referencePrecision: "float16", patience: 30, epochs: 1, learningRate: 1e-6, batchSize: 4 },
    });
    expect(resolveSettings("corrected", { beta: 0.3, patience: undefined })).toEqual({
      ...DPO_SETTINGS.corrected,
      beta: 0.3,
    });
  });
});

describe("a run that goes wrong", () => {
  test("on numbers that are not finite names step and pairs, and puts the policy back to its last checkpoint", async () => {
    const own = options({ learningRate: 1e30, warmupSteps: 0 });
    const before = await weightsChecksum(own.model);
    await expect(trainDpo(own)).rejects.toThrow(
      /^DPO diverged: step 2 has loss \S+ and gradient norm \S+ on the pairs pair-\d+, pair-\d+, pair-\d+, pair-\d+; the policy is back at the checkpoint of step 0: look at these pairs, or start in another folder with a lower learningRate$/,
    );
    expect(await weightsChecksum(own.model)).toBe(before);
    const kept = await loadPolicy(own.folder);
    expect(await weightsChecksum(kept)).toBe(before);
    kept.dispose();
    own.model.dispose();
  });

  test("in the folder of another run, says which of model, reference and pairs is another", async () => {
    const first = await trained({ epochs: 1 });
    const again = (overrides: Partial<DpoOptions>): Promise<DpoResult> =>
      trainDpo(options({ folder: first.folder, epochs: 1, ...overrides }));
    const before = filesOf(first.folder);
    await expect(again({ model: modelFor(3) })).rejects.toThrow(/different: the model to start from:/);
    await expect(again({ reference: modelFor(3) })).rejects.toThrow(/different: the reference:/);
    await expect(again({ pairs: pairsFor(30, 2) })).rejects.toThrow(/different: the pairs:/);
    await expect(again({ trainable: "biases" })).rejects.toThrow(
      /different: trainable \("all" there, "biases" now\)/,
    );
    expect(filesOf(first.folder)).toEqual(before);
    const { step, best } = await again({});
    expect([step, best]).toEqual([first.step, first.best]);
    expect(filesOf(first.folder)).toEqual(before);
    first.model.dispose();
  });

  test("pairs that are too long for the context are refused with the model's own words", async () => {
    const long = PAIRS.map((pair) => ({ ...pair, prompt: Array<number>(30).fill(1) }));
    await expect(trained({ pairs: long })).rejects.toThrow(/tokens, the model's context holds 24/);
  });

  test("a folder without a run has no policy", async () => {
    const folder = newRunFolder();
    await expect(loadPolicy(join(folder, "nothing"))).rejects.toThrow(
      /no run of DPO in .*expected checkpoint\.json/,
    );
  });
});
