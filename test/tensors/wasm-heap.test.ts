import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import * as ops from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";

const [BATCH, LENGTH, HEADS, D_HEAD] = [2, 3, 2, 4];
const WIDTH = HEADS * D_HEAD;

const rows = (width = WIDTH): tf.Tensor2D => tf.randomNormal([BATCH * LENGTH, width], 0, 1, "float32", 1);
const heads = (): tf.Tensor4D => tf.randomNormal([BATCH, HEADS, LENGTH, D_HEAD], 0, 1, "float32", 2);
const cacheOf = (length: number): tf.Tensor3D => tf.randomNormal([BATCH, length, WIDTH], 0, 1, "float32", 3);
const ids = (): tf.Tensor1D => tf.tensor1d([0, 1, 2, 3, 1, 0], "int32");
const pastOf = (): ops.Past => ({
  keys: tf.keep(cacheOf(2 * LENGTH)),
  values: tf.keep(cacheOf(2 * LENGTH)),
  at: LENGTH,
  pads: tf.tensor1d([0, 1], "int32"),
  heads: HEADS,
});
const mask = (): ops.AttentionMask => ops.attentionMask(LENGTH, LENGTH, [0, 1], true);

/** What says how large the factors of a gradient by keys and values are. */
const FACTORS = { keys: { shape: [BATCH, 2 * LENGTH, WIDTH] } as tf.Tensor3D, at: LENGTH, heads: HEADS };

function disposeOf(made: unknown): void {
  tf.dispose(made as tf.TensorContainer);
}

/** Every public operation on its inputs; the inputs stay. */
const OPERATIONS: Record<
  keyof typeof ops,
  { inputs: () => tf.Tensor[]; run: (...x: tf.Tensor[]) => unknown }
> = {
  attention: {
    inputs: () => [cacheOf(LENGTH), cacheOf(LENGTH), cacheOf(LENGTH)],
    run: (q, k, v) => {
      const own = mask();
      const z = ops.attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, own, HEADS);
      return [z, own];
    },
  },
  attentionMask: { inputs: () => [], run: mask },
  composedAttention: {
    inputs: () => [heads(), heads(), heads()],
    run: (q, k, v) => {
      const own = mask();
      return [ops.composedAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, own), own];
    },
  },
  headsOf: { inputs: () => [cacheOf(LENGTH)], run: (x) => ops.headsOf(x as tf.Tensor3D, HEADS) },
  hidingMask: { inputs: () => [], run: () => ops.hidingMask(new Uint8Array(BATCH * LENGTH), BATCH, LENGTH) },
  joinHeads: { inputs: () => [heads()], run: (x) => ops.joinHeads(x as tf.Tensor4D) },
  joinedAttention: {
    inputs: () => [rows(3 * WIDTH)],
    run: (qkv) => {
      const own = mask();
      return [ops.joinedAttention(qkv as tf.Tensor2D, own, HEADS), own];
    },
  },
  maskedScores: {
    inputs: () => [heads(), heads()],
    run: (q, k) => {
      const own = mask();
      return [ops.maskedScores(q as tf.Tensor4D, k as tf.Tensor4D, own), own];
    },
  },
  partOf: { inputs: () => [rows(3 * WIDTH)], run: (x) => ops.partOf(x as tf.Tensor2D, BATCH, 1) },
  patternOf: {
    inputs: () => [tf.zeros([BATCH, HEADS, LENGTH, LENGTH])],
    run: (scores) => {
      const own = mask();
      return [ops.patternOf(scores as tf.Tensor4D, own), own];
    },
  },
  splitHeads: { inputs: () => [rows(3 * WIDTH)], run: (x) => ops.splitHeads(x as tf.Tensor2D, BATCH, HEADS) },
  add: { inputs: () => [rows(), rows()], run: (a, b) => ops.add(a as tf.Tensor, b as tf.Tensor) },
  reshape: { inputs: () => [rows()], run: (x) => ops.reshape(x as tf.Tensor, [WIDTH, BATCH * LENGTH]) },
  oneHot: { inputs: () => [ids()], run: (x) => ops.oneHot(x as tf.Tensor1D, 4) },
  rowsAtATime: { inputs: () => [], run: () => void ops.rowsAtATime(50257) },
  appendToCache: {
    inputs: () => [rows(3 * WIDTH)],
    run: (qkv) => {
      const first = ops.appendToCache(tf.keep(cacheOf(2 * LENGTH)), qkv as tf.Tensor2D, 1, 0);
      return ops.appendToCache(first, qkv as tf.Tensor2D, 1, LENGTH);
    },
  },
  attendPast: {
    inputs: () => [
      tf.randomNormal([BATCH, 3 * WIDTH], 0, 1, "float32", 1),
      tf.zeros(ops.factorsShape(FACTORS)),
    ],
    run: (qkv, factors) => {
      const { keys, values, ...own } = pastOf();
      const z = ops.attendPast(qkv as tf.Tensor2D, { keys, values, ...own }, factors as tf.Tensor3D);
      return [z, keys, values, own.pads];
    },
  },
  factorsShape: { inputs: () => [], run: () => void ops.factorsShape(FACTORS) },
  stepPast: {
    inputs: () => [tf.ones(ops.factorsShape(FACTORS)), tf.ones([BATCH, LENGTH])],
    run: (factors, own) => {
      const { pads, ...past } = pastOf();
      const step = { size: 0.1, gamma: 1, mask: own as tf.Tensor2D };
      return [ops.stepPast(past, factors as tf.Tensor3D, step), pads];
    },
  },
  embed: {
    inputs: () => [rows(), ids()],
    run: (table, at) => ops.embed(table as tf.Tensor2D, at as tf.Tensor1D),
  },
  gelu: { inputs: () => [rows()], run: (x) => ops.gelu(x!) },
  centre: { inputs: () => [rows()], run: (x) => ops.centre(x!, 1e-5) },
  layerNorm: {
    inputs: () => [rows(), tf.ones([WIDTH]), tf.zeros([WIDTH])],
    run: (x, w, b) => ops.layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
  },
  layerNormParts: {
    inputs: () => [rows(), tf.ones([WIDTH]), tf.zeros([WIDTH])],
    run: (x, w, b) => ops.layerNormParts(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
  },
  linear: {
    inputs: () => [rows(), tf.ones([WIDTH, 5]), tf.zeros([5])],
    run: (x, w, b) => ops.linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  linearGelu: {
    inputs: () => [rows(), tf.ones([WIDTH, 5]), tf.zeros([5])],
    run: (x, w, b) => ops.linearGelu(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  crossEntropy: {
    inputs: () => [rows(), ids()],
    run: (logits, targets) => ops.crossEntropy(logits as tf.Tensor2D, targets as tf.Tensor1D),
  },
  pickLogProb: {
    inputs: () => [rows(), ids()],
    run: (logits, targets) => ops.pickLogProb(logits as tf.Tensor2D, targets as tf.Tensor1D),
  },
  tokenLogProbs: {
    inputs: () => [rows(), tf.ones([5, WIDTH]), ids(), tf.zeros([5])],
    run: (x, table, targets, bias) =>
      [undefined, bias as tf.Tensor1D].map((own) =>
        ops.tokenLogProbs(x as tf.Tensor2D, table as tf.Tensor2D, targets as tf.Tensor1D, own, 10),
      ),
  },
  rmsPropUpdate: {
    inputs: () => [rows()],
    run: (gradient) =>
      ops.rmsPropUpdate(rows() as tf.Tensor, tf.zerosLike(gradient!), gradient!, { learningRate: 1 }),
  },
};

/** Those that a gradient goes through. */
const DIFFERENTIABLE = [
  "attention",
  "joinedAttention",
  "embed",
  "gelu",
  "layerNorm",
  "linear",
  "linearGelu",
  "crossEntropy",
  "pickLogProb",
  "tokenLogProbs",
] as const;

test("every public operation is used below", () => {
  expect(Object.keys(OPERATIONS).sort()).toEqual(Object.keys(ops).sort());
});

onEachBackend(() => {
  describe("an operation outside a tidy leaves its result and nothing else", () => {
    test.each(Object.keys(OPERATIONS) as (keyof typeof ops)[])("%s", async (name) => {
      const { inputs, run } = OPERATIONS[name];
      await expectNoneLeft(() => {
        const own = inputs();
        disposeOf(run(...own));
        tf.dispose(own);
      });
    });
  });

  describe("so does its gradient", () => {
    test.each(DIFFERENTIABLE)("%s", async (name) => {
      const { inputs, run } = OPERATIONS[name];
      await expectNoneLeft(() => {
        const own = inputs();
        const floats = own.filter(({ dtype }) => dtype === "float32");
        const scalar = (...x: tf.Tensor[]): tf.Scalar => {
          const made = run(...own.map((input) => (input.dtype === "float32" ? x.shift()! : input)));
          return tf.sum((Array.isArray(made) ? made[0] : made) as tf.Tensor);
        };
        const { value, grads } = tf.valueAndGrads(scalar)(
          name === "tokenLogProbs" ? floats.slice(0, 2) : floats,
        );
        tf.dispose([value, ...grads, ...own]);
      });
    });
  });

  test("an operation on shapes that do not fit throws and leaves nothing behind", async () => {
    const wrong = [rows(), tf.ones<tf.Rank.R2>([WIDTH + 1, 5]), tf.zeros<tf.Rank.R1>([5])] as const;
    await expectNoneLeft(() => {
      expect(() => ops.linear(...wrong)).toThrow();
      expect(() => ops.linearGelu(...wrong)).toThrow();
      expect(() => ops.tokenLogProbs(wrong[0], wrong[1], wrong[2])).toThrow();
    });
    tf.dispose([...wrong]);
  });
});
