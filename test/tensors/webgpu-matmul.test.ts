import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import { openBackend } from "../../src/tensors/index.js";
import type { DeviceBackend } from "../../src/tensors/webgpu/device.js";
import { TILES, planOf, product } from "../../src/tensors/webgpu/matmul.js";
import { invocationsOf } from "../../src/tensors/webgpu/matmul-wgsl.js";
import { webgpuMissing } from "./webgpu-here.js";

const missing = await webgpuMissing();

function values(size: number, seed: number): Float32Array {
  return Float32Array.from({ length: size }, gaussian(seed));
}

const sizeOf = (shape: number[]): number => tf.util.sizeFromShape(shape);

interface Case {
  m: number;
  n: number;
  k: number;
  /** Leading sizes of a, b and the product. */
  outer: [number[], number[], number[]];
  transposeA: boolean;
  transposeB: boolean;
  seed: number;
}

const shapesOf = ({ m, n, k, outer, transposeA, transposeB }: Case): [number[], number[]] => [
  [...outer[0], ...(transposeA ? [k, m] : [m, k])],
  [...outer[1], ...(transposeB ? [n, k] : [k, n])],
];

/** The product in float64, by plain loops. */
function plainProduct(c: Case): number[] {
  const { m, n, k, outer, transposeA, transposeB, seed } = c;
  const [shapeA, shapeB] = shapesOf(c);
  const [a, b] = [values(sizeOf(shapeA), seed), values(sizeOf(shapeB), seed + 1)];
  const result: number[] = [];
  for (let matrix = 0; matrix < sizeOf(outer[2]); matrix++) {
    const startA = sizeOf(outer[0]) === 1 ? 0 : matrix * m * k;
    const startB = sizeOf(outer[1]) === 1 ? 0 : matrix * k * n;
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < n; column++) {
        let sum = 0;
        for (let i = 0; i < k; i++) {
          const x = a[startA + (transposeA ? i * m + row : row * k + i)] as number;
          const y = b[startB + (transposeB ? column * k + i : i * n + column)] as number;
          sum += x * y;
        }
        result.push(sum);
      }
    }
  }
  return result;
}

function expectClose(measured: ArrayLike<number>, expected: number[], k: number): void {
  expect(measured.length).toBe(expected.length);
  const worst = expected.reduce((most, value, i) => {
    const error = Math.abs((measured[i] as number) - value);
    return error <= most ? most : error;
  }, 0);
  // Random factors of variance one: sums are of the order of √k.
  expect(worst).toBeLessThan(2e-6 * (4 + Math.sqrt(k)) * 4);
}

const outers = fc.constantFrom<Case["outer"]>(
  [[], [], []],
  [[3], [3], [3]],
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[3], [1], [3]],
  [[1], [4], [4]],
);
const sizes = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(4, 8, 16, 32, 64, 128, 131));
const cases = fc.record({
  m: sizes,
  n: sizes,
  k: sizes,
  outer: outers,
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

describe.skipIf(missing !== null)(`matrix products on webgpu (${missing ?? "here"})`, () => {
  const backend = (): DeviceBackend => tf.backend() as unknown as DeviceBackend;

  beforeAll(async () => {
    await openBackend("webgpu");
  });

  test("equal those of plain loops, with any transposes and batches", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (c) => {
        const [shapeA, shapeB] = shapesOf(c);
        const a = tf.tensor(values(sizeOf(shapeA), c.seed), shapeA);
        const b = tf.tensor(values(sizeOf(shapeB), c.seed + 1), shapeB);
        const out = tf.matMul(a, b, c.transposeA, c.transposeB);
        expect(out.shape).toEqual([...c.outer[2], c.m, c.n]);
        expectClose(await out.data(), plainProduct(c), c.k);
        tf.dispose([a, b, out]);
      }),
      { numRuns: 16, endOnFailure: true },
    );
  });

  test.each(Object.keys(TILES) as (keyof typeof TILES)[])(
    "equal those of plain loops in tiles of the kind %s, whole and in parts",
    async (kind) => {
      const tile = TILES[kind];
      await fc.assert(
        fc.asyncProperty(cases, fc.constantFrom(1, 3), async (c, splits) => {
          const [shapeA, shapeB] = shapesOf(c);
          const a = tf.tensor(values(sizeOf(shapeA), c.seed), shapeA);
          const b = tf.tensor(values(sizeOf(shapeB), c.seed + 1), shapeB);
          const [info] = product(backend(), { ...c, a, b, plan: { tile, splits } });
          const out = tf.engine().makeTensorFromTensorInfo(info as tf.TensorInfo);
          expectClose(await out.data(), plainProduct(c), c.k);
          tf.dispose([a, b, out]);
        }),
        { numRuns: 4, endOnFailure: true },
      );
    },
  );

  test.each(["bias", "gelu", "geluKeep"] as const)(
    "finish with %s alike whether k was split or not",
    async (epilogue) => {
      for (const n of [12, 13]) {
        const [a, b, bias] = [tf.tensor2d(values(7 * 90, 1), [7, 90]), values(90 * n, 2), values(n, 3)];
        const results = [];
        for (const splits of [1, 2]) {
          const infos = product(backend(), {
            a,
            b: tf.tensor2d(b, [90, n]),
            bias: tf.tensor1d(bias),
            epilogue,
            plan: { tile: TILES.token, splits },
          });
          const outputs = infos.map((info) => tf.engine().makeTensorFromTensorInfo(info));
          results.push(await Promise.all(outputs.map((output) => output.data())));
        }
        const c: Case = {
          ...{ m: 7, n, k: 90, outer: [[], [], []], transposeA: false, transposeB: false, seed: 1 },
        };
        const before = plainProduct(c).map((sum, i) => sum + (bias[i % n] as number));
        const gelu = (x: number): number =>
          (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
        const expected = epilogue === "bias" ? before : before.map(gelu);
        for (const [out, pre] of results) {
          expectClose(out as Float32Array, expected, 90);
          if (epilogue === "geluKeep") expectClose(pre as Float32Array, before, 90);
        }
      }
    },
  );

  test("go on past the most workgroups of a dispatch", async () => {
    const { limits } = backend();
    const most = limits.maxWorkgroupsPerDimension;
    limits.maxWorkgroupsPerDimension = 4;
    try {
      const c: Case = {
        ...{ m: 2, n: 3, k: 5, outer: [[11], [11], [11]], transposeA: false, transposeB: false, seed: 5 },
      };
      const [shapeA, shapeB] = shapesOf(c);
      const out = tf.matMul(tf.tensor(values(110, 5), shapeA), tf.tensor(values(165, 6), shapeB));
      expectClose(await out.data(), plainProduct(c), c.k);
      // Elementwise kernels and rows spread over two dimensions.
      const table = tf.tensor2d(values(300 * 9, 7), [300, 9]);
      const rows = tf.range(0, 300, 1, "int32");
      const { embed } = await import("../../src/tensors/ops/index.js");
      expect(await embed(table, rows).data()).toEqual(values(300 * 9, 7));
    } finally {
      limits.maxWorkgroupsPerDimension = most;
    }
  });

  test("have the same bits in every run, also in parts", async () => {
    const a = tf.tensor2d(values(9 * 1000, 1), [9, 1000]);
    const b = tf.tensor2d(values(1000 * 50, 2), [1000, 50]);
    expect(planOf(9, 50, 1000, 1).splits).toBeGreaterThan(1);
    const [first, second] = [await tf.matMul(a, b).data(), await tf.matMul(a, b).data()];
    expect(first).toEqual(second);
  });

  test("of other activations and integers are left to tfjs", async () => {
    const a = tf.tensor2d([[1, -2]]);
    const b = tf.tensor2d([
      [1, 1],
      [1, -1],
    ]);
    const out = tf.fused.matMul({ a, b, activation: "relu" });
    expect([...(await out.data())]).toEqual([0, 3]);
  });

  test("of sizes that do not fit together are refused, with both shapes", () => {
    const a = tf.tensor2d([[1, 2]]);
    expect(() => product(backend(), { a, b: a })).toThrow("matMul: [1,2] and [1,2] cannot be multiplied");
  });
});

describe("the plan of a product on webgpu", () => {
  /** m, n, k of GPT-2 medium, for a batch of 8 sequences of 128 tokens, and for one token that is generated. */
  const shapes = [1, 4, 32, 256, 1024, 8192].flatMap((rows) => [
    [rows, 3072, 1024],
    [rows, 1024, 1024],
    [rows, 4096, 1024],
    [rows, 1024, 4096],
    [rows, 50257, 1024],
    [50257, 1024, rows],
    [1, 4096, rows],
  ]) as [number, number, number][];

  test.each(shapes)("for %i × %i over %i stays within a device's limits", (m, n, k) => {
    const { tile, splits } = planOf(m, n, k, 1);
    const { rows, columns, step } = tile;
    expect(Math.max(Math.ceil(m / rows), Math.ceil(n / columns))).toBeLessThanOrEqual(65535);
    expect(invocationsOf(tile)).toBeLessThanOrEqual(256);
    expect((rows + columns) * step * 4).toBeLessThanOrEqual(32768);
    expect(splits).toBeGreaterThanOrEqual(1);
    if (splits > 1) {
      expect(k / splits).toBeGreaterThanOrEqual(128);
      expect(Math.ceil(m / rows) * Math.ceil(n / columns) * splits).toBeLessThanOrEqual(256);
    }
  });

  test("large products are computed in large tiles, and tokens in small ones", () => {
    expect(planOf(8192, 4096, 1024, 1)).toEqual({ tile: TILES.large, splits: 1 });
    expect(planOf(1024, 3072, 1024, 1).tile).toBe(TILES.large);
    expect(planOf(256, 1024, 1024, 1).tile).toBe(TILES.middle);
    expect(planOf(1, 1024, 4096, 1)).toEqual({ tile: TILES.token, splits: 32 });
  });
});
