import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import {
  attentionMask,
  crossEntropy,
  joinedAttention,
  embed,
  gelu,
  layerNorm,
  layerNormParts,
  linear,
  oneHot,
} from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";

/** Random values that do not depend on the backend. */
function randomTensor<T extends tf.Tensor>(shape: number[], seed: number): T {
  const normal = gaussian(seed);
  return tf.tensor(Float32Array.from({ length: tf.util.sizeFromShape(shape) }, normal), shape) as T;
}

async function expectClose(measured: tf.Tensor, expected: tf.Tensor, tolerance = 2e-5): Promise<void> {
  expect(measured.shape).toEqual(expected.shape);
  const [own, others] = [await measured.data(), await expected.data()];
  own.forEach((value, i) => expect(Math.abs(value - (others[i] as number))).toBeLessThan(tolerance));
}

/** Value and gradients of a scalar built from `f`, with weights that tell entries apart. */
function valueAndGrads(f: (...xs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): tf.Tensor[] {
  const weighted = (...xs: tf.Tensor[]): tf.Scalar => {
    const y = f(...xs);
    return tf.sum(tf.mul(y, randomTensor(y.shape, 99)));
  };
  const { value, grads } = tf.valueAndGrads(weighted)(inputs);
  return [value, ...grads];
}

const ids = (): tf.Tensor1D => tf.tensor1d([2, 0, 2, 1, 4], "int32");
const causal = (size: number): tf.Tensor4D =>
  tf.tensor4d(
    Float32Array.from({ length: size * size }, (_, i) => (i % size > Math.floor(i / size) ? -1e9 : 0)),
    [1, 1, size, size],
  );

/** Each operation, and the plain composition it stands for. */
const cases: Record<
  string,
  { inputs: number[][]; op: (...x: tf.Tensor[]) => tf.Tensor; plain: (...x: tf.Tensor[]) => tf.Tensor }
> = {
  linear: {
    inputs: [[6, 5], [5, 7], [7]],
    op: (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
    plain: (x, w, b) => tf.add(tf.matMul(x as tf.Tensor, w as tf.Tensor), b as tf.Tensor),
  },
  layerNorm: {
    inputs: [[6, 9], [9], [9]],
    op: (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
    plain: (x, w, b) => layerNormParts(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5).output,
  },
  gelu: {
    inputs: [[4, 8]],
    op: (x) => gelu(x as tf.Tensor),
    plain: (x) => {
      const u = tf.mul(
        tf.add(x as tf.Tensor, tf.mul(tf.mul(tf.square(x as tf.Tensor), x as tf.Tensor), 0.044715)),
        Math.sqrt(2 / Math.PI),
      );
      return tf.mul(tf.mul(x as tf.Tensor, 0.5), tf.add(1, tf.tanh(u)));
    },
  },
  embed: {
    inputs: [[5, 3]],
    op: (table) => embed(table as tf.Tensor2D, ids()),
    plain: (table) => tf.matMul(oneHot(ids(), 5), table as tf.Tensor),
  },
  crossEntropy: {
    inputs: [[5, 6]],
    op: (logits) => crossEntropy(logits as tf.Tensor2D, ids()),
    plain: (logits) => tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits as tf.Tensor), oneHot(ids(), 6)), -1)),
  },
  attention: {
    inputs: [[2 * 4, 3 * 6]],
    op: (qkv) => joinedAttention(qkv as tf.Tensor2D, attentionMask(4, 4, [0, 0]), 2),
    plain: (qkv) => {
      const parts = [0, 6, 12].map((start) =>
        tf.transpose(
          tf.reshape(tf.slice(qkv as tf.Tensor2D, [0, start], [-1, 6]), [2, 4, 2, 3]),
          [0, 2, 1, 3],
        ),
      );
      const [q, k, v] = parts as [tf.Tensor, tf.Tensor, tf.Tensor];
      const pattern = tf.softmax(tf.add(tf.div(tf.matMul(q, k, false, true), Math.sqrt(3)), causal(4)));
      return tf.reshape(tf.transpose(tf.matMul(pattern, v), [0, 2, 1, 3]), [8, 6]);
    },
  },
};

onEachBackend(({ runs }) => {
  test.each(Object.keys(cases))("%s equals its plain composition, values and gradients", async (name) => {
    const { inputs, op, plain } = cases[name] as (typeof cases)[string];
    const tensors = inputs.map((shape, i) => randomTensor(shape, i + 1));
    const measured = valueAndGrads(op, tensors);
    const expected = valueAndGrads(plain, tensors);
    for (const [i, own] of expected.entries()) await expectClose(measured[i] as tf.Tensor, own);
  });

  test("cross-entropy stays finite and exact where a softmax would underflow", async () => {
    const losses = crossEntropy(tf.tensor2d([[1000, 0, -1000]]), tf.tensor1d([2], "int32"));
    expect([...(await losses.data())]).toEqual([2000]);
  });

  test("matrix products with any transposes and batches equal those of plain loops", async () => {
    const sizes = fc.integer({ min: 1, max: 5 });
    const batches = fc.constantFrom<[number[], number[]]>(
      [[], []],
      [[3], [3]],
      [
        [2, 3],
        [2, 3],
      ],
      [[3], [1]],
      [[1], [4]],
    );
    await fc.assert(
      fc.asyncProperty(
        sizes,
        sizes,
        sizes,
        batches,
        fc.boolean(),
        fc.boolean(),
        async (m, k, n, [left, right], ta, tb) => {
          const a = randomTensor<tf.Tensor>([...left, ...(ta ? [k, m] : [m, k])], 3);
          const b = randomTensor<tf.Tensor>([...right, ...(tb ? [n, k] : [k, n])], 4);
          const product = tf.matMul(a, b, ta, tb);
          const batch = Math.max(tf.util.sizeFromShape(left), tf.util.sizeFromShape(right));
          const [av, bv, pv] = [await a.data(), await b.data(), await product.data()];
          for (let i = 0; i < batch; i++) {
            const aAt = tf.util.sizeFromShape(left) === 1 ? 0 : i * m * k;
            const bAt = tf.util.sizeFromShape(right) === 1 ? 0 : i * k * n;
            for (let row = 0; row < m; row++) {
              for (let column = 0; column < n; column++) {
                let sum = 0;
                for (let j = 0; j < k; j++) {
                  const x = av[aAt + (ta ? j * m + row : row * k + j)] as number;
                  const y = bv[bAt + (tb ? column * k + j : j * n + column)] as number;
                  sum += x * y;
                }
                expect(pv[i * m * n + row * n + column]).toBeCloseTo(sum, 4);
              }
            }
          }
          tf.dispose([a, b, product]);
        },
      ),
      { numRuns: runs(60) },
    );
  });
});

/** Functions of one tensor with registered gradients, away from points where they have none. */
const unary: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  neg: tf.neg,
  square: tf.square,
  sqrt: (x) => tf.sqrt(tf.add(tf.square(x), 1)),
  rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 1)),
  exp: tf.exp,
  log: (x) => tf.log(tf.add(tf.square(x), 1)),
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  softplus: tf.softplus,
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  "mean of an axis": (x) => tf.mean(x, 0),
  "max of an axis": (x) => tf.max(x, -1),
  "sum of an axis, kept": (x) => tf.mul(x, tf.sum(x, 1, true)),
  transpose: (x) => tf.mul(tf.transpose(x, [1, 0]), 2),
  reshape: (x) => tf.square(tf.reshape(x, [12])),
  slice: (x) => tf.square(tf.slice(x, [1, 1], [2, 2])),
  split: (x) => tf.mul(tf.split(x, 2, 1)[0] as tf.Tensor, tf.split(x, 2, 1)[1] as tf.Tensor),
  concat: (x) => tf.square(tf.concat([x, tf.mul(x, 3)], 1)),
  stack: (x) => tf.square(tf.stack([x, tf.neg(x)], 1)),
  "gather with repeated rows": (x) => tf.square(tf.gather(x, tf.tensor1d([1, 1, 0], "int32"))),
  "broadcast quotient": (x) => tf.div(x, tf.add(tf.square(tf.mean(x, 0, true)), 1)),
  "broadcast difference": (x) => tf.square(tf.sub(x, tf.mean(x, -1, true))),
  "squared difference": (x) => tf.squaredDifference(x, tf.mean(x, 0, true)),
};

onEachBackend(({ slow }) => {
  test.each(Object.keys(unary))("the gradient of %s agrees with finite differences", async (name) => {
    const f = unary[name] as (x: tf.Tensor) => tf.Tensor;
    const x = randomTensor<tf.Tensor2D>([3, 4], 7);
    const scalar = (input: tf.Tensor): tf.Scalar => {
      const y = f(input);
      return tf.sum(tf.mul(y, randomTensor(y.shape, 8)));
    };
    const gradient = await tf.grad(scalar)(x).data();
    const values = await x.data();
    const step = 1e-2;
    for (const i of slow ? [0, 5, 11] : values.keys()) {
      const moved = async (by: number): Promise<number> => {
        const at = Float32Array.from(values);
        at[i] = (at[i] as number) + by;
        return (await scalar(tf.tensor2d(at, [3, 4])).data())[0] as number;
      };
      const slope = ((await moved(step)) - (await moved(-step))) / (2 * step);
      expect(Math.abs((gradient[i] as number) - slope)).toBeLessThan(0.02 * Math.max(1, Math.abs(slope)));
    }
  });
});
