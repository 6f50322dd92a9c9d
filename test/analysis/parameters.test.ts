import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compareNeurons,
  compareParameters,
  PARAMETER_KINDS,
  summariseChanges,
  vectorName,
  type ParameterChange,
} from "../../src/analysis/index.js";
import { UserError } from "../../src/base/errors.js";
import { GPT2 } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { CASES, modelOf, TWO_BLOCKS, type Case } from "../model/cases.js";
import type { Weights } from "../referee/index.js";

const TIED = CASES[0] as Case;
const { config } = TIED;

/** The model of `own` with some entries of a parameter changed. */
function changed(own: Case, change: (weights: Weights) => void): GPT2 {
  const weights: Weights = new Map([...own.weights].map(([name, values]) => [name, values.slice()]));
  change(weights);
  return modelOf({ config: own.config, weights });
}

/** Compares two models and disposes of both. */
async function compared(before: GPT2, after: GPT2, options = {}): Promise<ParameterChange[]> {
  try {
    return await compareParameters(before, after, options);
  } finally {
    for (const model of new Set([before, after])) model.dispose();
  }
}

const named = (changes: readonly ParameterChange[], name: string): ParameterChange =>
  changes.find((change) => change.name === name) as ParameterChange;

/** Everything about one pair of vectors, written as the definitions are. */
function naive(w: readonly number[], v: readonly number[]): Record<string, number> {
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const length = (a: readonly number[]): number => Math.sqrt(dot(a, a));
  const step = w.map((value, i) => v[i]! - value);
  return {
    cosine: dot(w, v) / (length(w) * length(v)),
    normDifference: Math.abs(length(w) - length(v)),
    distance: length(step),
    perElement: step.reduce((sum, value) => sum + Math.abs(value), 0) / step.length,
    relative: length(step) / length(w),
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

onEachBackend(({ runs, slow }) => {
  test("a model beside itself has cosines of exactly 1 and differences of exactly 0", async () => {
    const model = modelOf(TWO_BLOCKS);
    const changes = await compared(model, model);
    expect(changes.length).toBeGreaterThan(0);
    for (const change of changes) {
      const { cosine, cosineDistance, normDifference, distance, perElement, relative, largest } = change;
      expect({ cosine, cosineDistance, normDifference, distance, perElement, relative, largest }).toEqual({
        ...{ cosine: 1, cosineDistance: 0, normDifference: 0, distance: 0, perElement: 0 },
        ...{ relative: 0, largest: 0 },
      });
      for (const vectors of change.vectors) {
        expect(vectors.cosine).toMatchObject({ min: 1, at: 0, median: 1, mean: 1 });
        expect([vectors.normDifference, vectors.distance]).toEqual([
          { mean: 0, max: 0 },
          { mean: 0, max: 0 },
        ]);
      }
    }
  });

  test("hand values: a key vector that turns by a right angle, and one that doubles", async () => {
    const set = (weights: Weights, first: number[], second: number[]): void => {
      const keys = weights.get("h.0.mlp.c_fc.weight")!.fill(0);
      for (let i = 0; i < 2; i += 1) {
        keys[i * config.dMlp] = first[i]!;
        keys[i * config.dMlp + 1] = second[i]!;
      }
    };
    const changes = await compared(
      changed(TIED, (weights) => set(weights, [3, 4], [0, 1])),
      changed(TIED, (weights) => set(weights, [-4, 3], [0, 2])),
    );
    const change = named(changes, "h.0.mlp.c_fc.weight");
    // The whole: (3,4,0,1)·(−4,3,0,2) = 2 of √26·√29; it moved by (−7,−1,0,1).
    expect(change.kind).toBe("key vectors");
    expect(change.cosine).toBeCloseTo(2 / Math.sqrt(26 * 29), 14);
    expect(change.normDifference).toBeCloseTo(Math.sqrt(29) - Math.sqrt(26), 14);
    expect(change.distance).toBeCloseTo(Math.sqrt(51), 14);
    expect(change.perElement).toBeCloseTo(9 / change.size, 14);
    expect(change.relative).toBeCloseTo(Math.sqrt(51 / 26), 14);
    expect(change.largest).toBe(7);
    const [keys] = change.vectors;
    expect(keys).toMatchObject({
      ...{ along: "columns", count: config.dMlp, length: config.dModel, undirected: config.dMlp - 2 },
      cosine: { min: 0, at: 0, median: 0.5, mean: 0.5 },
    });
    expect(keys.normDifference).toEqual({ mean: 1 / config.dMlp, max: 1 });
    expect(keys.distance.max).toBeCloseTo(Math.sqrt(50), 14);
    expect(keys.distance.mean).toBeCloseTo((Math.sqrt(50) + 1) / config.dMlp, 14);
    expect(keys.mostTurned.map(({ index, cosine }) => [index, cosine])).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test("a vector that is zero before or after has no cosine: null, not NaN, and counts in no mean", async () => {
    const changes = await compared(
      changed(TIED, (weights) => weights.get("wpe.weight")!.fill(0, 0, config.dModel)),
      changed(TIED, (weights) => {
        weights.get("h.0.ln_1.bias")!.fill(0);
        weights.get("wpe.weight")!.fill(0, 1, config.dModel)[0] = 2;
      }),
    );
    const [positions] = named(changes, "wpe.weight").vectors;
    expect(positions).toMatchObject({ undirected: 1, cosine: { min: 1, mean: 1 }, distance: { max: 2 } });
    const bias = named(changes, "h.0.ln_1.bias");
    expect(bias).toMatchObject({ cosine: null, cosineDistance: null, relative: 1 });
    expect(bias.vectors[0]).toMatchObject({ cosine: null, undirected: 1, mostTurned: [] });
    const all = JSON.stringify(changes, (_, value: unknown) =>
      typeof value === "number" && !Number.isFinite(value) ? "no number" : value,
    );
    expect(all).not.toContain("no number");
  });

  test("the definitions, written out plainly in float64, give the same numbers for random models", async () => {
    for (const own of slow ? [TIED] : CASES) {
      let turn = 0;
      const after = changed(own, (weights) => {
        for (const values of weights.values()) {
          values.forEach((value, i) => (values[i] = Math.fround(value + 0.05 * Math.sin((turn += 1)))));
        }
      });
      const afterValues = new Map<string, number[]>();
      for (const name of after.parameterNames) {
        afterValues.set(name, [...(await after.weight(name).data())]);
      }
      const changes = await compared(modelOf(own), after);
      for (const change of changes) {
        const w = [...own.weights.get(change.name)!];
        const v = afterValues.get(change.name)!;
        for (const [key, value] of Object.entries(naive(w, v))) {
          expect(change[key as keyof ParameterChange], `${change.name} ${key}`).toBeCloseTo(value, 12);
        }
        const [rows, columns] = change.shape.length > 1 ? (change.shape as [number, number]) : [1, w.length];
        for (const vectors of change.vectors) {
          const take = (from: number[], k: number): number[] =>
            from.filter(
              (_, i) =>
                vectors.along === "whole" ||
                k === (vectors.along === "rows" ? Math.floor(i / columns) : i % columns),
            );
          const count = { rows, columns, whole: 1 }[vectors.along];
          const each = Array.from({ length: count }, (_, k) => naive(take(w, k), take(v, k)));
          const cosines = each.map(({ cosine }) => cosine!);
          expect(vectors.count).toBe(count);
          expect(vectors.cosine!.min).toBeCloseTo(Math.min(...cosines), 12);
          expect(vectors.cosine!.at).toBe(cosines.indexOf(Math.min(...cosines)));
          expect(vectors.cosine!.mean).toBeCloseTo(mean(cosines), 12);
          for (const key of ["normDifference", "distance"] as const) {
            expect(vectors[key].mean).toBeCloseTo(mean(each.map((one) => one[key]!)), 12);
            expect(vectors[key].max).toBeCloseTo(Math.max(...each.map((one) => one[key]!)), 12);
          }
        }
      }
    }
  });

  test("scaling a vector leaves its cosine at 1 and changes its length by what it was scaled", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: config.dMlp - 1 }),
        fc.integer({ min: -6, max: 6 }),
        async (neuron, power) => {
          const factor = 2 ** power;
          const after = changed(TIED, (weights) => {
            const values = weights.get("h.0.mlp.c_proj.weight")!;
            for (let i = 0; i < config.dModel; i += 1) values[neuron * config.dModel + i]! *= factor;
          });
          const changes = await compared(modelOf(TIED), after);
          const change = named(changes, "h.0.mlp.c_proj.weight");
          const row = [...TIED.weights.get("h.0.mlp.c_proj.weight")!].slice(
            neuron * config.dModel,
            (neuron + 1) * config.dModel,
          );
          const moved = Math.abs(factor - 1) * Math.sqrt(row.reduce((sum, value) => sum + value ** 2, 0));
          expect(change.vectors[0].cosine!.min).toBeCloseTo(1, 12);
          expect(change.vectors[0].normDifference.max).toBeCloseTo(moved, 10);
          expect(change.vectors[0].distance.max).toBeCloseTo(moved, 10);
        },
      ),
      { numRuns: runs(20) },
    );
  });

  test("an order of the neurons, the same in both models, changes no statistic but the place of the lowest", async () => {
    const order = Array.from({ length: config.dMlp }, (_, i) => (i * 3 + 1) % config.dMlp);
    expect(new Set(order).size).toBe(config.dMlp);
    const permute = (weights: Weights): void => {
      const keys = weights.get("h.0.mlp.c_fc.weight")!;
      const old = keys.slice();
      for (let row = 0; row < config.dModel; row += 1) {
        order.forEach((from, to) => (keys[row * config.dMlp + to] = old[row * config.dMlp + from]!));
      }
    };
    const nudge = (weights: Weights): void => {
      const keys = weights.get("h.0.mlp.c_fc.weight")!;
      keys.forEach((value, i) => (keys[i] = Math.fround(value + 0.01 * Math.cos(i))));
    };
    const plain = named(await compared(modelOf(TIED), changed(TIED, nudge)), "h.0.mlp.c_fc.weight");
    const permuted = named(
      await compared(
        changed(TIED, permute),
        changed(TIED, (weights) => {
          nudge(weights);
          permute(weights);
        }),
      ),
      "h.0.mlp.c_fc.weight",
    );
    const [own] = plain.vectors;
    const [other] = permuted.vectors;
    expect(order[other.cosine!.at]).toBe(own.cosine!.at);
    expect(other.cosine!.min).toBeCloseTo(own.cosine!.min, 14);
    expect(other.cosine!.median).toBeCloseTo(own.cosine!.median, 14);
    expect(other.distance.mean).toBeCloseTo(own.distance.mean, 14);
    expect(permuted.cosine).toBeCloseTo(plain.cosine!, 14);
    expect(permuted.perElement).toBeCloseTo(plain.perElement, 14);
  });

  test("neurons: key and value vectors are those of the tensors, in the order they are asked for", async () => {
    const before = modelOf(TWO_BLOCKS);
    const after = changed(TWO_BLOCKS, (weights) => {
      const { dMlp, dModel } = TWO_BLOCKS.config;
      for (let i = 0; i < dModel; i += 1) weights.get("h.1.mlp.c_fc.weight")![i * dMlp + 5]! *= -1;
      weights.get("h.0.mlp.c_proj.weight")!.fill(0, 2 * dModel, 3 * dModel);
    });
    const [first, second] = await compareNeurons(before, after, [
      { layer: 1, neuron: 5 },
      { layer: 0, neuron: 2 },
    ]);
    expect(first).toMatchObject({ layer: 1, neuron: 5, key: { cosine: -1 }, value: { cosine: 1 } });
    expect(second).toMatchObject({ layer: 0, neuron: 2, key: { cosine: 1 }, value: { cosine: null } });
    const all = await compareNeurons(before, after);
    expect(all.map(({ layer, neuron }) => [layer, neuron])).toEqual(
      Array.from({ length: 24 }, (_, i) => [Math.floor(i / 12), i % 12]),
    );
    expect(all[12 + 5]).toEqual(first);
    await expect(compareNeurons(before, after, [{ layer: 2, neuron: 0 }])).rejects.toThrow(
      "cannot compare MLP.v_0^2: the model has layers 0 to 1 of neurons 0 to 11",
    );
    before.dispose();
    after.dispose();
  });

  test("no tensor is left behind, and both models stay whole", async () => {
    const [before, after] = [modelOf(TIED), modelOf(TIED)];
    await expectNoneLeft(async () => {
      await compareParameters(before, after);
      await compareNeurons(before, after);
    });
    for (const model of [before, after]) {
      model.forward(TIED.even).dispose();
      model.dispose();
    }
  });
});

describe("which parameters are compared", () => {
  const TWO = { ...TWO_BLOCKS.config };

  test("every one, once, by kind and layer; attention by rows and columns; a tied unembedding is one tensor", async () => {
    const model = modelOf(TIED);
    const expected = model.parameterNames;
    const changes = await compared(model, model);
    expect(changes.map(({ name }) => name)).toEqual(expected);
    const kinds = Object.fromEntries(changes.map(({ name, kind, layer }) => [name, [kind, layer]]));
    expect(kinds).toMatchObject({
      "wte.weight": ["unembedding", null],
      "wpe.weight": ["positions", null],
      "h.0.ln_1.weight": ["layer norms", 0],
      "h.0.attn.c_attn.weight": ["attention QKV", 0],
      "h.0.attn.c_attn.bias": ["biases", 0],
      "h.0.attn.c_proj.weight": ["attention output", 0],
      "h.0.mlp.c_fc.weight": ["key vectors", 0],
      "h.0.mlp.c_proj.weight": ["value vectors", 0],
      "h.0.mlp.c_proj.bias": ["biases", 0],
      "ln_f.bias": ["layer norms", null],
    });
    const along = (name: string): string[] => named(changes, name).vectors.map((each) => each.along);
    expect(along("h.0.attn.c_attn.weight")).toEqual(["columns", "rows"]);
    expect(along("h.0.attn.c_proj.weight")).toEqual(["rows", "columns"]);
    expect(along("h.0.mlp.c_fc.weight")).toEqual(["columns"]);
    expect(along("ln_f.bias")).toEqual(["whole"]);
    expect(new Set(changes.map(({ kind }) => kind)).size).toBe(PARAMETER_KINDS.length - 1);
  });

  test("an unembedding of its own beside the token embedding, also where only one model has one", async () => {
    const untied = modelOf(TWO_BLOCKS);
    const kinds = (changes: ParameterChange[]): unknown =>
      changes.filter(({ name }) => /^(wte|lm_head)/.test(name)).map(({ name, kind }) => [name, kind]);
    const both = [
      ["wte.weight", "token embedding"],
      ["lm_head.weight", "unembedding"],
    ];
    expect(kinds(await compared(untied, untied))).toEqual(both);
    const tied = changed(TWO_BLOCKS, (weights) => weights.delete("lm_head.weight"));
    const changes = await compared(tied, modelOf(TWO_BLOCKS));
    expect(kinds(changes)).toEqual(both);
    expect(named(changes, "wte.weight").cosine).toBe(1);
    expect(named(changes, "lm_head.weight").cosine).toBeLessThan(0.9);
  });

  test("progress counts tensors", async () => {
    const model = modelOf(TIED);
    const seen: [number, number][] = [];
    await compared(model, model, { onProgress: (done: number, total: number) => seen.push([done, total]) });
    expect(seen).toEqual(seen.map((_, i) => [i + 1, seen.length]));
    expect(seen).toHaveLength(16);
  });

  test.each([
    ["other widths", { ...TWO, dModel: 10, dHead: 5 }, /wte\.weight is \[23,8\] before and \[23,10\] after/],
    ["fewer layers", { ...TWO, nLayer: 1 }, /h\.1\.\S+ is only in the model before, expected in both/],
    ["more layers", { ...TWO, nLayer: 3 }, /h\.2\.\S+ is only in the model after, expected in both/],
  ])("models of %s are refused in one line that names the first difference", async (_, other, message) => {
    const error: unknown = await compared(modelOf(TWO_BLOCKS), GPT2.random(other)).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("\n");
    const [before, after] = [modelOf(TWO_BLOCKS), GPT2.random(other)];
    await expect(compareNeurons(before, after)).rejects.toThrow(/^cannot compare neurons: 2 layers of 12 /);
    before.dispose();
    after.dispose();
  });

  test("a weight that is no number is named", async () => {
    const before = modelOf(TIED);
    const values = await before.weight("ln_f.bias").data();
    const bad = tf.tensor1d([...values].map((value, i) => (i === 2 ? Number.NaN : value)));
    const after = before.withWeights(new Map([["ln_f.bias", bad]]));
    await expect(compareParameters(before, after)).rejects.toThrow(
      "cannot compare parameters: ln_f.bias of the model after holds NaN at index 2, expected finite numbers",
    );
    for (const each of [after, before, bad]) each.dispose();
  });
});

describe("summariseChanges", () => {
  test("is the same as measuring the group as one: lowest of all, means over all vectors and all elements", async () => {
    const after = changed(TWO_BLOCKS, (weights) => {
      for (const values of weights.values())
        values.forEach((v, i) => (values[i] = Math.fround(v + 0.02 * Math.sin(i))));
    });
    const changes = await compared(modelOf(TWO_BLOCKS), after);
    const kinds = summariseChanges(changes);
    const keys = kinds.find(({ group }) => group === "key vectors")!;
    const members = changes.filter(({ kind }) => kind === "key vectors");
    const neuronsOf = members.flatMap(({ vectors: [own] }) => own.mostTurned);
    expect(keys).toMatchObject({ tensors: 2, size: 2 * 8 * 12, vectors: 24 });
    expect(keys.tensorMin).toBe(Math.min(...members.map(({ cosine }) => cosine!)));
    expect(keys.vectorMin).toBe(Math.min(...neuronsOf.map(({ cosine }) => cosine!)));
    expect(keys.vectorMinName).toMatch(/^h\.[01]\.mlp\.c_fc\.weight\[:, \d+\]$/);
    expect(keys.normDifference).toBeCloseTo(
      mean(members.map((each) => each.vectors[0].normDifference.mean)),
      14,
    );
    expect(keys.perElement).toBeCloseTo(mean(members.map(({ perElement }) => perElement)), 14);
    const total = (pick: (change: ParameterChange) => number): number =>
      Math.sqrt(members.reduce((sum, change) => sum + pick(change) ** 2, 0));
    expect(keys.relative).toBeCloseTo(total(({ distance }) => distance) / total(({ norm }) => norm), 14);
    const [all, ...none] = summariseChanges(changes, () => "all");
    expect(none).toEqual([]);
    expect(all!.tensors).toBe(changes.length);
    expect(all!.vectorMin).toBe(Math.min(...kinds.map(({ vectorMin }) => vectorMin!)));
    expect(summariseChanges(changes, ({ layer }) => (layer === 1 ? "second" : undefined))).toHaveLength(1);
  });

  test("vectors are named as NumPy would index them", () => {
    expect(vectorName("wte.weight", "rows", 12)).toBe("wte.weight[12]");
    expect(vectorName("h.3.mlp.c_fc.weight", "columns", 17)).toBe("h.3.mlp.c_fc.weight[:, 17]");
    expect(vectorName("ln_f.bias", "whole", 0)).toBe("ln_f.bias");
  });
});
