import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import {
  appendToCache,
  attention,
  attentionMask,
  embed,
  gelu,
  joinedAttention,
  layerNorm,
  linear,
  linearGelu,
  pickLogProb,
  rmsPropUpdate,
  tokenLogProbs,
} from "../../src/tensors/ops/index.js";
import { FUSED, runKernel } from "../../src/tensors/ops/fused.js";
import { webgpuMissing } from "./webgpu-here.js";

/*
 * Every fused kernel on webgpu against the plain composition, which runs on the backend cpu: values and gradients, for
 * random ragged shapes.
 */

const missing = await webgpuMissing();

type Values = { shape: number[]; values: number[] };

/** Values of every tensor that `compute` returns, on a backend. */
async function on(backend: "cpu" | "webgpu", compute: () => tf.Tensor[]): Promise<Values[]> {
  await tf.setBackend(backend);
  const tensors = tf.tidy(compute);
  const results = await Promise.all(
    tensors.map(async (tensor) => ({ shape: tensor.shape, values: [...(await tensor.data())] })),
  );
  tf.dispose(tensors);
  return results;
}

/** Relative to the largest entry, or absolute below one: sums are made in another order. */
function expectClose(measured: Values[], expected: Values[], tolerance = 3e-5): void {
  expect(measured.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  measured.forEach(({ values }, index) => {
    const wanted = (expected[index] as Values).values;
    const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = values.reduce((most, value, i) => {
      const error = Math.abs(value - (wanted[i] as number));
      return error <= most ? most : error;
    }, 0);
    expect(worst / scale).toBeLessThan(tolerance);
  });
}

async function expectSame(compute: () => tf.Tensor[]): Promise<void> {
  expectClose(await on("webgpu", compute), await on("cpu", compute));
}

function random<T extends tf.Tensor>(shape: number[], seed: number): T {
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, gaussian(seed)), shape) as T;
}

/** Value and gradients of a scalar built from `f`, with weights that tell entries apart. */
function valueAndGrads(f: (...xs: tf.Tensor[]) => tf.Tensor, shapes: number[][], seed: number): tf.Tensor[] {
  const inputs = shapes.map((shape, index) => random(shape, seed + index));
  let output: tf.Tensor | undefined;
  const weighted = (...xs: tf.Tensor[]): tf.Scalar => {
    const y = f(...xs);
    output = tf.keep(y);
    return tf.sum(tf.mul(y, random(y.shape, seed + 99)));
  };
  const { value, grads } = tf.valueAndGrads(weighted)(inputs);
  const values = tf.clone(output as tf.Tensor);
  (output as tf.Tensor).dispose();
  return [values, value, ...grads];
}

const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const seeds = int(1, 1e6);
// A failing case is shown as it is: making it smaller would take a software GPU minutes.
const runs = { numRuns: 6, endOnFailure: true };
const ids = (size: number, below: number, seed: number): tf.Tensor1D => {
  const normal = gaussian(seed);
  return tf.tensor1d(
    Int32Array.from({ length: size }, () => Math.floor(Math.abs(normal()) * below) % below),
    "int32",
  );
};

/** Attributes of an attention over all keys, and pads for each sequence. */
const attentions = fc
  .record({
    batch: int(1, 3),
    heads: int(1, 3),
    dHead: fc.constantFrom(1, 5, 8, 64),
    queries: int(1, 40),
    past: int(0, 40),
    room: int(0, 5),
    seed: seeds,
  })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      pads: fc.array(int(0, shape.queries + shape.past - 1), {
        minLength: shape.batch,
        maxLength: shape.batch,
      }),
    }),
  );

describe.skipIf(missing !== null)(`fused kernels on webgpu (${missing ?? "here"})`, () => {
  beforeAll(async () => {
    await openBackend("cpu");
    await openBackend("webgpu");
  });

  test("layerNorm, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 70), int(1, 300), seeds, (rows, width, seed) =>
        expectSame(() =>
          valueAndGrads(
            (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
            [[rows, width], [width], [width]],
            seed,
          ),
        ),
      ),
      {
        ...runs,
        examples: [
          [33, 1, 1],
          [32, 128, 2],
        ],
      },
    );
  });

  test("gelu and linearGelu, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 9), int(1, 40), int(1, 70), seeds, async (rows, inside, outside, seed) => {
        await expectSame(() => valueAndGrads((x) => gelu(x as tf.Tensor), [[rows, inside]], seed));
        await expectSame(() =>
          valueAndGrads(
            (x, w, b) => linearGelu(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
            [[rows, inside], [inside, outside], [outside]],
            seed,
          ),
        );
      }),
      { ...runs, examples: [[5, 36, 64, 1]] },
    );
  });

  test("gelu stays finite, and flat, far from zero", async () => {
    await expectSame(() => {
      const x = tf.tensor1d([-1e4, -300, -20, 0, 20, 300, 1e4]);
      return [gelu(x), tf.grad((y) => gelu(y))(x)];
    });
  });

  test("linear, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 40), int(1, 40), int(1, 70), seeds, (rows, inside, outside, seed) =>
        expectSame(() =>
          valueAndGrads(
            (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
            [[rows, inside], [inside, outside], [outside]],
            seed,
          ),
        ),
      ),
      runs,
    );
  });

  test("joined attention with padding, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(attentions, ({ shape: { batch, heads, dHead, queries, seed }, pads }) =>
        expectSame(() => {
          const hidden = pads.map((pad) => pad % queries);
          return valueAndGrads(
            (qkv) => joinedAttention(qkv as tf.Tensor2D, attentionMask(queries, queries, hidden), heads),
            [[batch * queries, 3 * heads * dHead]],
            seed,
          );
        }),
      ),
      runs,
    );
  });

  test("attention over a cache with room to spare, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(attentions, ({ shape, pads }) => {
        const { batch, heads, dHead, queries, past, room, seed } = shape;
        const keys = past + queries;
        const [q, k] = [queries, keys + room].map((positions) => [batch, positions, heads * dHead]) as [
          number[],
          number[],
        ];
        return expectSame(() =>
          valueAndGrads(
            (...xs) => attention(...(xs as [Q, Q, Q]), attentionMask(queries, keys, pads), heads),
            [q, k, k],
            seed,
          ),
        );
      }),
      { ...runs, numRuns: 10 },
    );
  });
  type Q = tf.Tensor3D;

  test("the attention pattern sums to one where a query sees something, and is zero elsewhere", async () => {
    const [batch, heads, queries, keys, dHead] = [2, 2, 18, 23, 8];
    const pads = [0, 9];
    const [, pattern] = await on("webgpu", () => {
      const inputs = {
        q: random([batch, queries, heads * dHead], 1),
        k: random([batch, keys, heads * dHead], 2),
        v: random([batch, keys, heads * dHead], 3),
        pads: tf.tensor1d(pads, "int32"),
      };
      const attributes = { batch, heads, queries, keys, dHead, joined: false, keepPattern: true };
      return runKernel<tf.Tensor[]>(FUSED.attention, inputs, attributes);
    });
    const { values } = pattern as Values;
    for (let row = 0; row < batch * heads * queries; row++) {
      const query = row % queries;
      const pad = pads[Math.floor(row / (heads * queries))] as number;
      const last = query + keys - queries;
      const weights = values.slice(row * keys, (row + 1) * keys);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(Number(last >= pad), 5);
      weights.forEach((weight, key) => {
        if (key < pad || key > last) expect(weight).toBe(0);
        else expect(weight).toBeGreaterThan(0);
      });
    }
  });

  test("appendToCache writes into the room that is there", async () => {
    const [batch, capacity, width, at] = [2, 7, 3, 2];
    const [cache] = await on("webgpu", () => {
      const start = random<tf.Tensor3D>([batch, capacity, width], 1);
      return [appendToCache(start, random([batch * 4, 3 * width], 2), 2, at)];
    });
    const [before, qkv] = await on("cpu", () => [
      random([batch, capacity, width], 1),
      random([batch * 4, 3 * width], 2),
    ]);
    const expected = [...(before as Values).values];
    for (let b = 0; b < batch; b++)
      for (let i = 0; i < 4; i++)
        for (let d = 0; d < width; d++)
          expected[(b * capacity + at + i) * width + d] = (qkv as Values).values[
            (b * 4 + i) * 3 * width + 2 * width + d
          ] as number;
    expect((cache as Values).values).toEqual(expected);
  });

  test("pickLogProb, with gradients", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 9), int(1, 700), seeds, (rows, classes, seed) =>
        expectSame(() =>
          valueAndGrads(
            (logits) => pickLogProb(logits as tf.Tensor2D, ids(rows, classes, seed)),
            [[rows, classes]],
            seed,
          ),
        ),
      ),
      runs,
    );
  });

  test("pickLogProb stays finite where a softmax would underflow", async () => {
    const compute = (): tf.Tensor[] => [
      pickLogProb(tf.tensor2d([[1000, 0, -1000]]), tf.tensor1d([2], "int32")),
    ];
    expect((await on("webgpu", compute))[0]?.values[0]).toBeCloseTo(-2000, 2);
  });

  test("log-probabilities from hidden states, with gradients in the place of the logits", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 9), int(1, 20), int(2, 90), seeds, (rows, width, vocab, seed) =>
        expectSame(() =>
          valueAndGrads(
            (hidden, table) =>
              tokenLogProbs(hidden as tf.Tensor2D, table as tf.Tensor2D, ids(rows, vocab, seed)),
            [
              [rows, width],
              [vocab, width],
            ],
            seed,
          ),
        ),
      ),
      runs,
    );
  });

  test("the gradient by logits takes their memory when it may, with the same bits", async () => {
    await tf.setBackend("webgpu");
    const [rows, classes] = [7, 611];
    const targets = ids(rows, classes, 3);
    const dy = random<tf.Tensor1D>([rows], 2);
    const gradient = (inPlace: boolean): [tf.Tensor, tf.Tensor] => {
      const logits = random<tf.Tensor2D>([rows, classes], 1);
      const logProbs = runKernel<tf.Tensor>(FUSED.pickLogProb, { logits, targets });
      const inputs = { logits, logProbs, targets, dy };
      return [logits, runKernel<tf.Tensor>(FUSED.pickLogProbGrad, inputs, { inPlace })];
    };
    const [logits, apart] = gradient(false);
    expect(apart.dataId).not.toBe(logits.dataId);
    expect(await logits.data()).toEqual(Float32Array.from({ length: rows * classes }, gaussian(1)));
    const [taken, within] = gradient(true);
    expect(within.dataId).toBe(taken.dataId);
    taken.dispose();
    expect(await within.data()).toEqual(await apart.data());
  });

  test("embed, with gradients that add up rows of equal ids", async () => {
    await fc.assert(
      fc.asyncProperty(int(1, 600), int(1, 40), int(1, 30), seeds, (n, length, width, seed) =>
        expectSame(() =>
          valueAndGrads(
            (table) => embed(table as tf.Tensor2D, ids(n, length, seed)),
            [[length, width]],
            seed,
          ),
        ),
      ),
      runs,
    );
  });

  test("the gradient of a gather adds up rows of equal ids, with the same bits in every run", async () => {
    const compute = (): tf.Tensor[] =>
      valueAndGrads((table) => tf.gather(table as tf.Tensor, ids(400, 7, 1)), [[7, 19]], 1);
    await expectSame(compute);
    expect(await on("webgpu", compute)).toEqual(await on("webgpu", compute));
  });

  test("sums and slices, of one shape or not", async () => {
    await expectSame(() => [
      tf.add(random([3, 5], 1), random([3, 5], 2)),
      tf.add(random([4, 5], 1), random([5], 2)),
      tf.add(random([4, 5], 1), 3),
      tf.add(tf.tensor1d([1, 2], "int32"), tf.tensor1d([3, 4], "int32")),
      tf.slice(random([7, 9], 1), [2, 3], [-1, 4]),
      tf.slice(random([7, 9], 1), [6, 0], [1, -1]),
      tf.slice(random([2, 7, 9], 1), [0, 2, 3], [-1, 4, 1]),
      tf.slice(random([7, 9], 1), [2, 3], [0, 4]),
      ...valueAndGrads((x) => tf.slice(tf.add(x as tf.Tensor, x as tf.Tensor), [1, 1], [2, 3]), [[4, 6]], 5),
    ]);
  });

  test("rmsPropUpdate, in place and after the old value was read", async () => {
    for (const size of [1, 7, 64]) {
      const steps = async (backend: "cpu" | "webgpu"): Promise<Values[]> => {
        await tf.setBackend(backend);
        let parameter = random<tf.Tensor1D>([size], 1);
        let meanSquare = tf.zerosLike(parameter);
        for (let step = 0; step < 3; step++) {
          const gradient = random<tf.Tensor1D>([size], 10 + step);
          ({ parameter, meanSquare } = rmsPropUpdate(parameter, meanSquare, gradient, {
            learningRate: 1e-2,
          }));
          gradient.dispose();
          await parameter.data();
        }
        return on(backend, () => [tf.clone(parameter), tf.clone(meanSquare)]);
      };
      expectClose(await steps("webgpu"), await steps("cpu"));
    }
  });

  test("the same bits in every run", async () => {
    const compute = (): tf.Tensor[] => [
      ...valueAndGrads((table) => embed(table as tf.Tensor2D, ids(300, 9, 1)), [[9, 33]], 1),
      ...valueAndGrads(
        (qkv) => joinedAttention(qkv as tf.Tensor2D, attentionMask(37, 37, [3, 0]), 2),
        [[74, 48]],
        2,
      ),
      ...valueAndGrads(
        (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
        [[70, 33], [33], [33]],
        3,
      ),
      ...valueAndGrads(
        (hidden, table) => tokenLogProbs(hidden as tf.Tensor2D, table as tf.Tensor2D, ids(9, 501, 1)),
        [
          [9, 8],
          [501, 8],
        ],
        4,
      ),
    ];
    expect(await on("webgpu", compute)).toEqual(await on("webgpu", compute));
  });
});
