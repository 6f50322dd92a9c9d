import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { activityPenalty } from "../../src/lab/activity-penalty.js";
import { adamW, muon, muonSlabs, orthogonalised } from "../../src/lab/optimiser.js";
import { rateAt } from "../../src/lab/schedule.js";
import { Windows } from "../../src/lab/windows.js";
import { parameterShapes } from "../../src/model/parameters.js";
import { openBackend } from "../../src/tensors/index.js";
import { gelu } from "../../src/tensors/ops/index.js";
import { valueAndGradients } from "../../src/tensors/tape.js";
import { svd } from "../../src/tensors/linalg.js";
import { gaussian } from "../../src/base/random.js";
import { SMALL } from "../model/folders.js";

const CONTEXT = { name: "blocks.0.mlp.hook_post", layer: 0, generating: false };

beforeAll(async () => {
  await openBackend("wasm");
});

describe("the order of a corpus", () => {
  const tokens = Uint16Array.from({ length: 1003 }, (_, i) => i);

  test("every window once before any a second time, and each pass is cut elsewhere", () => {
    const windows = new Windows(tokens, 10, 7);
    const pass = (number: number): number[] =>
      Array.from({ length: 99 }, (_, i) => windows.at(99 * number + i)[0] as number);
    const [first, second] = [pass(0), pass(1)];
    const distances = (starts: number[]): number[] => {
      const sorted = [...starts].sort((a, b) => a - b);
      return sorted.slice(1).map((start, i) => start - (sorted[i] as number));
    };
    expect(new Set(distances(first))).toEqual(new Set([10]));
    expect(new Set(distances(second))).toEqual(new Set([10]));
    expect(second).not.toEqual(first);
    const begins = Array.from({ length: 20 }, (_, i) => (windows.at(99 * i)[0] as number) % 10);
    expect(new Set(begins).size).toBeGreaterThan(4);
  });

  test("a window holds its tokens and the last one's target; any can be had at any time", () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(100), (index, seed) => {
        const window = new Windows(tokens, 10, seed).at(index);
        expect(window).toHaveLength(11);
        window.forEach((token, i) => expect(token).toBe((window[0] as number) + i));
      }),
    );
  });
});

describe("the learning rate", () => {
  test("warms up, stays, and falls to nothing where a decay is asked for", () => {
    expect([0, 4, 9, 10, 1e6].map((step) => rateAt(step, { warmupSteps: 10 }))).toEqual([0.1, 0.5, 1, 1, 1]);
    const decayed = { warmupSteps: 10, decayFrom: 100, decaySteps: 50 };
    expect(rateAt(99, decayed)).toBe(1);
    expect(rateAt(149, decayed)).toBe(0);
    const falling = Array.from({ length: 50 }, (_, i) => rateAt(100 + i, decayed));
    falling.slice(1).forEach((rate, i) => expect(rate).toBeLessThan(falling[i] as number));
  });
});

describe("the activity penalty", () => {
  const [tokens, penalty] = [6, 0.3];
  const at = (): [pre: tf.Tensor3D, weights: tf.Tensor3D] => {
    const shape: [number, number, number] = [2, tokens / 2, SMALL.dMlp];
    return [tf.randomNormal(shape, 0, 1, "float32", 1), tf.randomNormal(shape, 0, 1, "float32", 2)];
  };
  const [hook] = Object.values(activityPenalty(SMALL, penalty));

  test("its gradient is that of the L1 norm of the positive coefficients, a token; the loss stays what it is", () => {
    tf.tidy(() => {
      const [pre, weights] = at();
      const positive = tf.step(gelu(pre));
      const loss = (m: tf.Tensor): tf.Scalar => tf.sum(tf.mul(weights, m));
      const hooked = valueAndGradients(() => loss(hook?.(gelu(pre), CONTEXT) as tf.Tensor), [pre]);
      const written = valueAndGradients(() => {
        const m = gelu(pre);
        return tf.add(loss(m), tf.mul(tf.sum(tf.mul(m, positive)), penalty / tokens));
      }, [pre]);
      expect(hooked.value.dataSync()).toEqual(loss(gelu(pre)).dataSync());
      const [own, expected] = [hooked, written].map(({ gradients: [slope] }) => slope?.dataSync() ?? []);
      expect(own).toHaveLength(pre.size);
      expected?.forEach((slope, i) => expect(own?.[i]).toBeCloseTo(slope, 5));
    });
  });

  test("stands at every block's MLP, and nowhere without a penalty", () => {
    expect(Object.keys(activityPenalty(SMALL, penalty))).toHaveLength(SMALL.nLayer);
    expect(activityPenalty(SMALL, 0)).toEqual({});
  });
});

describe("Muon", () => {
  const random = (rows: number, columns: number, seed: number): Float32Array => {
    const normal = gaussian(seed);
    return Float32Array.from({ length: rows * columns }, normal);
  };

  test.each([
    [24, 24],
    [12, 40],
    [40, 12],
  ])("pulls all singular values of a matrix [%i, %i] to about 1, and turns none", (rows, columns) => {
    const matrix = random(rows, columns, rows);
    const result = orthogonalised(matrix, rows, columns);
    const asRows = (values: Float32Array): number[][] =>
      Array.from({ length: rows }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)]);
    const values = svd(asRows(result)).singularValues;
    expect(Math.max(...values)).toBeLessThan(1.3);
    expect(Math.min(...values.slice(0, Math.floor(0.8 * Math.min(rows, columns))))).toBeGreaterThan(0.6);
    // U V' of the matrix lies close by.
    const alike = matrix.reduce((sum, x, i) => sum + x * (result[i] as number), 0);
    expect(alike / svd(asRows(matrix)).singularValues.reduce((sum, s) => sum + s, 0)).toBeGreaterThan(0.8);
  });

  test("updates a matrix's columns and leaves what lies beside them", () => {
    const state = {
      parameters: new Float32Array(24),
      gradient: random(4, 6, 3),
      momentum: new Float32Array(24),
      variance: new Float32Array(24),
    };
    muon(state, { offset: 2, rows: 4, columns: 2, stride: 6 }, { rate: 0.1, weightDecay: 0 });
    state.parameters.forEach((value, i) => {
      if ([2, 3].includes(i % 6)) expect(value).not.toBe(0);
      else expect(value).toBe(0);
    });
  });

  test("has the blocks' matrices, queries, keys and values apart; the rest is AdamW's", () => {
    const slabs = muonSlabs(parameterShapes(SMALL));
    expect(slabs).toHaveLength(6 * SMALL.nLayer);
    const covered = slabs.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    expect(covered).toBe(12 * SMALL.nLayer * SMALL.dModel ** 2);
  });
});

test("AdamW's first step moves each value by its rate against the sign of its gradient, decay aside", () => {
  const state = {
    parameters: Float32Array.of(1, 1, 1),
    gradient: Float32Array.of(3, -0.2, 5),
    momentum: new Float32Array(3),
    variance: new Float32Array(3),
  };
  adamW(state, { from: 0, to: 2, step: 0, rate: 0.1, weightDecay: 0.5, clip: 1 });
  expect(state.parameters[0]).toBeCloseTo(0.95 - 0.1, 5);
  expect(state.parameters[1]).toBeCloseTo(0.95 + 0.1, 5);
  expect(state.parameters[2]).toBe(1);
  expect(tf.memory().numTensors).toBe(0);
});
