import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import {
  attentionMask,
  gelu,
  joinedAttention,
  layerNorm,
  linearGelu,
  pickLogProb,
} from "../../src/tensors/ops/index.js";
import { onEachBackend } from "../backends.js";
import { logSoftmaxOf, relativeError, valuesOf } from "../model/cases.js";
import { attend } from "../referee/attention.js";
import { layOut } from "../referee/index.js";
import { gelu as geluInFloat64, geluSlope } from "../referee/ops.js";

const normal = gaussian(12);
const random = (count: number, scale = 1, shift = 0): Float64Array =>
  Float64Array.from({ length: count }, () => Math.fround(shift + scale * normal()));
const floats = (values: Float64Array): Float32Array => Float32Array.from(values);

onEachBackend(({ name: backend }) => {
  describe("where numbers are far from ordinary", () => {
    test("log-probabilities of logits that are huge, equal, or far apart", async () => {
      const rows = [
        [1e4, 0, -1e4, 5, 5],
        [-3e4, -3e4, -3e4, -3e4, -3e4],
        [88, -88, 100, -100, 99.5],
        [0, -86.9, -87.1, -104, -1e30],
      ];
      const targets = [1, 3, 4, 2];
      const [logits, ids] = [tf.tensor2d(rows), tf.tensor1d(targets, "int32")];
      const expected = rows.map((row, i) => logSoftmaxOf(row.map(Math.fround), 5)[targets[i]!]!);
      const gradient = tf.grad((x) => tf.sum(pickLogProb(x as tf.Tensor2D, ids)))(logits);
      const slopes = await valuesOf(gradient);
      (await valuesOf(pickLogProb(logits, ids))).forEach((value, i) =>
        expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6 * Math.max(1, Math.abs(expected[i]!))),
      );
      const wanted = rows.flatMap((row, i) => [
        ...logSoftmaxOf(row.map(Math.fround), 5).map((x, j) => Number(j === targets[i]) - Math.exp(x)),
      ]);
      // A GPU keeps the normaliser, here near 100, in float32.
      const tolerance = backend === "webgpu" ? 2e-5 : 1e-6;
      slopes.forEach((slope, i) => expect(Math.abs(slope - wanted[i]!)).toBeLessThan(tolerance));
      tf.dispose([logits, ids]);
    });

    test("a layer norm of rows with a mean far from zero, and of rows with no variance at all", async () => {
      const width = 16;
      const values = Float64Array.from([
        ...random(width, 1, 1000),
        ...random(width, 1e-4),
        ...new Float64Array(width).fill(7),
      ]);
      const [x, one, zero] = [
        tf.tensor2d(floats(values), [3, width]),
        tf.ones<tf.Rank.R1>([width]),
        tf.zeros<tf.Rank.R1>([width]),
      ];
      const measured = await valuesOf(layerNorm(x, one, zero, 1e-5));
      for (let row = 0; row < 3; row += 1) {
        const own = values.subarray(row * width, (row + 1) * width);
        const mean = own.reduce((sum, value) => sum + value, 0) / width;
        const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
        const expected = own.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
        // A float32 near 1000 is good to 6e-5.
        const tolerance = row === 0 ? 5e-4 : 1e-5;
        const off = measured
          .subarray(row * width, (row + 1) * width)
          .map((value, i) => Math.abs(value - expected[i]!));
        expect(Math.max(...off), `row ${row}`).toBeLessThan(tolerance);
      }
      tf.dispose([x, one, zero]);
    });

    test("GELU and its slope, from far below zero to far above", async () => {
      const points = Float64Array.from(
        [-1e6, -100, -20, -9, -5.5, -3, -1, -1e-3, 0, 1e-30, 1e-3, 1, 3, 9, 100, 1e6].map(Math.fround),
      );
      const x = tf.tensor2d(floats(points), [4, 4]);
      const [values, slopes] = [await valuesOf(gelu(x)), await valuesOf(tf.grad(gelu)(x))];
      const [one, zero] = [tf.eye(4), tf.zeros<tf.Rank.R1>([4])];
      const fused = await valuesOf(linearGelu(x, one, zero));
      points.forEach((point, i) => {
        const expected = geluInFloat64(point);
        const close = 1e-6 * Math.max(1, Math.abs(expected));
        expect(Math.abs(values[i]! - expected), `at ${point}`).toBeLessThan(close);
        expect(Math.abs(fused[i]! - expected), `fused, at ${point}`).toBeLessThan(close);
        expect(Math.abs(slopes[i]! - geluSlope(point)), `slope at ${point}`).toBeLessThan(5e-6);
      });
      tf.dispose([x, one, zero]);
    });

    test("attention whose scores are in the thousands", async () => {
      const [heads, dHead, positions] = [2, 3, 5];
      const width = heads * dHead;
      const config = { nHead: heads, dHead };
      const batch = layOut(
        [
          [1, 2, 3, 4, 5],
          [6, 7],
        ],
        { eosTokenId: 0 },
      );
      const values = random(2 * positions * 3 * width, 60);
      const part = (index: number): Float64Array =>
        values.filter((_, i) => Math.floor((i % (3 * width)) / width) === index);
      const { z } = attend({ q: part(0), k: part(1), v: part(2) }, batch, config);
      const qkv = tf.tensor2d(floats(values), [2 * positions, 3 * width]);
      const mask = attentionMask(positions, positions, [0, 3]);
      // Scores of 1e4 are good to 1e-3 in float32, and so is what is made of them.
      expect(relativeError(await valuesOf(joinedAttention(qkv, mask, heads)), z)).toBeLessThan(2e-3);
      tf.dispose([qkv, mask as unknown as tf.TensorContainer]);
    });
  });
});
