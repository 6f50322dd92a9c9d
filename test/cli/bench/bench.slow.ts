import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { bench, SHAPES, type BenchOptions } from "../../../src/cli/bench/index.js";
import { forwardFlops, generationFlops, productFlops, trainingFlops } from "../../../src/cli/bench/flops.js";
import { peakTensorBytes } from "../../../src/cli/bench/peak-memory.js";
import * as plain from "../../../src/cli/bench/plain.js";
import { configOf } from "../../../src/cli/bench/shapes.js";
import { time } from "../../../src/cli/bench/timing.js";
import { comparison } from "../../../src/cli/commands/bench.js";
import { openBackend, type BackendDescription } from "../../../src/tensors/index.js";
import * as own from "../../../src/tensors/ops/index.js";

const config = { ...configOf("lab"), nLayer: 2, nHead: 2, vocabSize: 50, dModel: 8, dHead: 4, dMlp: 32 };
let backend: BackendDescription;
beforeAll(async () => {
  backend = await openBackend("wasm");
});

const options: BenchOptions = {
  ...{ works: ["model"], shape: "lab", repetitions: 1, positions: 4, backward: false },
  ...{ prompt: 4, newTokens: 2, pairs: 1, length: 4 },
};

describe("what is timed", () => {
  test("leaves no tensors behind, whatever the work", async () => {
    await bench(backend, options);
    const before = tf.memory().numTensors;
    await bench(backend, {
      ...options,
      works: ["model", "ops", "generate", "pplm", "dpo-step"],
      backward: true,
      batch: 1,
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  test("a shape's context is respected", async () => {
    await expect(bench(backend, { ...options, positions: 129 })).rejects.toThrow(
      "129 positions: the context of lab holds 128",
    );
    const { results } = await bench(backend, { ...options, works: ["dpo-step"], length: 500 });
    expect(results.at(-1)).toMatchObject({ name: "dpo-step", positions: SHAPES.lab.nPositions });
  });

  test("the first pass is not counted, and every repetition is", async () => {
    let passes = 0;
    const pass = (): tf.Tensor => tf.scalar(passes++);
    const { repetitions, secondsMin, secondsPerPass, secondsMax } = await time(pass, { repetitions: 4 });
    expect([passes, repetitions]).toEqual([6, 4]);
    expect(secondsMin).toBeLessThanOrEqual(secondsPerPass);
    expect(secondsPerPass).toBeLessThanOrEqual(secondsMax);
  });

  test("the peak of tensor bytes counts what is gone again", async () => {
    const before = tf.memory().numBytes;
    const peak = await peakTensorBytes(async () => {
      tf.dispose(tf.tidy(() => tf.add(tf.zeros([1000]), 1)));
      await Promise.resolve();
    });
    expect(peak - before).toBeGreaterThanOrEqual(8000);
    expect(tf.memory().numBytes).toBe(before);
    tf.dispose(tf.zeros([10]));
    expect(tf.memory().numBytes).toBe(before);
  });
});

describe("counting operations", () => {
  test("a forward pass of GPT-2 small is 2 × 124M operations per token, and attention", () => {
    const gpt2 = configOf("gpt2");
    const weights = 12 * 12 * 768 ** 2 + 50257 * 768;
    const attention = 12 * 2 * productFlops(32, 768, 32);
    expect(forwardFlops(gpt2, { batch: 1, positions: 32 })).toBe(2 * weights * 32 + attention);
    expect(trainingFlops(gpt2, { batch: 1, positions: 32 })).toBe(3 * (2 * weights * 32 + attention));
  });

  test("with a cache, each step reads one token against all before it", () => {
    const prompt = forwardFlops(config, { batch: 3, positions: 5, unembedded: 1 });
    const steps = [5, 6].map((past) => forwardFlops(config, { batch: 3, positions: 1, past }));
    expect(generationFlops(config, 3, 5, 3)).toBe(prompt + (steps[0] ?? 0) + (steps[1] ?? 0));
  });
});

describe("the plain compositions compute what the library's operations compute", () => {
  const random = (seed: number, ...shape: number[]): tf.Tensor =>
    tf.randomUniform(shape, -2, 2, "float32", seed);
  const x = (): tf.Tensor2D => random(1, 6, 8) as tf.Tensor2D;
  const w = (): tf.Tensor1D => random(2, 8) as tf.Tensor1D;
  const b = (): tf.Tensor1D => random(3, 8) as tf.Tensor1D;
  const square = (): tf.Tensor2D => random(4, 8, 8) as tf.Tensor2D;
  const qkv = (): tf.Tensor2D => random(5, 6, 24) as tf.Tensor2D;
  const mask = () => own.attentionMask(3, 3, [0, 0], true);
  const ids = (): tf.Tensor1D => tf.tensor1d([3, 0, 3, 5, 1, 7], "int32");
  const pairs: Record<string, [() => tf.Tensor, () => tf.Tensor]> = {
    linear: [() => own.linear(x(), square(), b()), () => plain.plainLinear(x(), square(), b())],
    "layer norm": [() => own.layerNorm(x(), w(), b(), 1e-5), () => plain.plainLayerNorm(x(), w(), b(), 1e-5)],
    GELU: [
      () => own.linearGelu(x(), square(), b()),
      () => plain.plainGelu(plain.plainLinear(x(), square(), b())),
    ],
    attention: [
      () => own.joinedAttention(qkv(), mask(), 2),
      () => plain.plainAttention(qkv(), mask().bias as tf.Tensor4D, 2, 2),
    ],
    "cross-entropy": [() => own.crossEntropy(x(), ids()), () => plain.plainCrossEntropy(x(), ids())],
    embedding: [() => own.embed(square(), ids()), () => plain.plainEmbed(square(), ids())],
  };
  test.each(Object.keys(pairs))("%s", async (name) => {
    const [ours, composed] = await Promise.all((pairs[name] ?? []).map(async (op) => op().data()));
    expect(ours).toHaveLength(composed?.length ?? 0);
    ours?.forEach((value, i) => expect(composed?.[i]).toBeCloseTo(value, 4));
  });
});

test("two reports are compared by name, on what both timed alike", async () => {
  const report = await bench(backend, options);
  const forward = report.results.at(-1);
  const slower = { ...forward, secondsPerPass: 2 * (forward?.secondsPerPass ?? 0), gflops: null };
  const other = { ...report, results: [slower, { ...forward, batch: 99 }] } as typeof report;
  const own = { ...report, results: [{ ...forward, gflops: null }] } as typeof report;
  expect(comparison(own, other).slice(1)).toEqual([
    ["forward", expect.any(String), expect.any(String), "2.00×"],
  ]);
});
