import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gaussian } from "../../src/model/index.js";
import { attendPast, factorsShape, stepPast } from "../../src/tensors/ops/index.js";
import { valueAndGradients } from "../../src/tensors/tape.js";
import { onEachBackend } from "../backends.js";

/* Attention over a past that moves along its gradient, and that movement, against plain loops in float64. */

interface Layout {
  batch: number;
  heads: number;
  dHead: number;
  at: number;
  spare: number;
  pad: number;
  seed: number;
}

const layouts = fc.record<Layout>({
  batch: fc.integer({ min: 1, max: 3 }),
  heads: fc.integer({ min: 1, max: 3 }),
  dHead: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 19, 64)),
  at: fc.integer({ min: 1, max: 70 }),
  spare: fc.integer({ min: 1, max: 3 }),
  pad: fc.integer({ min: 0, max: 5 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
});

interface Values {
  qkv: Float32Array;
  keys: Float32Array;
  values: Float32Array;
  dz: Float32Array;
  mask: Float32Array;
  pads: number[];
}

function valuesOf({ batch, heads, dHead, at, spare, pad, seed }: Layout): Values {
  const normal = gaussian(seed);
  const make = (size: number): Float32Array => Float32Array.from({ length: size }, () => normal());
  const wide = heads * dHead;
  return {
    qkv: make(batch * 3 * wide),
    keys: make(batch * (at + spare) * wide),
    values: make(batch * (at + spare) * wide),
    dz: make(batch * wide),
    mask: Float32Array.from({ length: batch * at }, (_, i) => (i % 4) / 2),
    pads: Array.from({ length: batch }, (_, row) => (row === 0 ? 0 : Math.min(pad, at))),
  };
}

/** Attention, the gradient of dz·z, and a step, in float64. */
function reference(layout: Layout, own: Values, size: number, gamma: number): Record<string, Float64Array> {
  const { batch, heads, dHead, at, spare } = layout;
  const wide = heads * dHead;
  const [capacity, keys] = [at + spare, at + 1];
  const z = new Float64Array(batch * wide);
  const dqkv = new Float64Array(batch * 3 * wide);
  const norms = new Float64Array(batch);
  const [movedKeys, movedValues] = [own.keys, own.values].map((x) => Float64Array.from(x)) as [
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < batch; row++) {
    const moves: { at: number; key: number; value: number }[] = [];
    for (let head = 0; head < heads; head++) {
      const q = (d: number): number => own.qkv[row * 3 * wide + head * dHead + d]!;
      const place = (j: number, d: number): number => (row * capacity + j) * wide + head * dHead + d;
      const part = (name: "keys" | "values", j: number, d: number): number =>
        j < at
          ? own[name][place(j, d)]!
          : own.qkv[row * 3 * wide + (name === "keys" ? 1 : 2) * wide + head * dHead + d]!;
      const slope = (d: number): number => own.dz[row * wide + head * dHead + d]!;
      const over = (f: (d: number) => number): number => {
        let sum = 0;
        for (let d = 0; d < dHead; d++) sum += f(d);
        return sum;
      };
      const seen = Array.from({ length: keys }, (_, j) => j).filter((j) => j >= own.pads[row]!);
      const scores = seen.map((j) => over((d) => q(d) * part("keys", j, d)) / Math.sqrt(dHead));
      const top = Math.max(...scores);
      const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
      const pattern = scores.map((score) => Math.exp(score - top) / total);
      const slopes = seen.map((j) => over((d) => slope(d) * part("values", j, d)));
      const mean = slopes.reduce((sum, one, i) => sum + one * pattern[i]!, 0);
      seen.forEach((j, i) => {
        const dScore = ((slopes[i]! - mean) * pattern[i]!) / Math.sqrt(dHead);
        const weight = j < at ? own.mask[row * at + j]! : 0;
        for (let d = 0; d < dHead; d++) {
          z[row * wide + head * dHead + d]! += pattern[i]! * part("values", j, d);
          dqkv[row * 3 * wide + head * dHead + d]! += dScore * part("keys", j, d);
          if (j < at) {
            moves.push({
              at: place(j, d),
              key: weight * dScore * q(d),
              value: weight * pattern[i]! * slope(d),
            });
          } else {
            dqkv[(row * 3 + 1) * wide + head * dHead + d] = dScore * q(d);
            dqkv[(row * 3 + 2) * wide + head * dHead + d] = pattern[i]! * slope(d);
          }
        }
      });
    }
    norms[row] = Math.sqrt(moves.reduce((sum, { key, value }) => sum + key ** 2 + value ** 2, 0)) + 1e-15;
    for (const { at: place, key, value } of moves) {
      movedKeys[place]! -= (size * key) / norms[row]! ** gamma;
      movedValues[place]! -= (size * value) / norms[row]! ** gamma;
    }
  }
  return { z, dqkv, norms, keys: movedKeys, values: movedValues };
}

onEachBackend(({ runs }) => {
  test("attention over a past, its gradient and a step along it are those of float64", async () => {
    const property = fc.asyncProperty(layouts, fc.constantFrom(1, 1.5), async (layout, gamma) => {
      const own = valuesOf(layout);
      const { batch, heads, dHead, at, spare } = layout;
      const expected = reference(layout, own, 0.4, gamma);
      const shape: [number, number, number] = [batch, at + spare, heads * dHead];
      let [keys, values] = [own.keys, own.values].map((x) => tf.keep(tf.tensor3d(x, shape))) as [
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      const qkv = tf.tensor2d(own.qkv, [batch, 3 * heads * dHead]);
      const pads = tf.tensor1d(own.pads, "int32");
      const mask = tf.tensor2d(own.mask, [batch, at]);
      const measured = tf.tidy(() => {
        const placeholder = tf.zeros<tf.Rank.R3>(factorsShape({ keys, at, heads }));
        let z: tf.Tensor | undefined;
        const scalar = (): tf.Scalar => {
          const out = attendPast(qkv, { keys, values, at, pads, heads }, placeholder);
          z = tf.keep(out);
          return tf.sum(tf.mul(out, tf.tensor2d(own.dz, [batch, heads * dHead])));
        };
        const [dqkv, factors] = valueAndGradients(scalar, [qkv, placeholder]).gradients;
        const step = stepPast({ keys, values, at, heads }, factors as tf.Tensor3D, {
          size: 0.4,
          gamma,
          mask,
        });
        ({ keys, values } = step);
        return { z: z!, dqkv: dqkv!, norms: step.norms };
      });
      const filled = (x: tf.Tensor3D): tf.Tensor => tf.slice(x, [0, 0, 0], [-1, at, -1]);
      const cut = (x: Float64Array): number[] =>
        [...x].filter((_, i) => Math.floor(i / (heads * dHead)) % (at + spare) < at);
      const pairs: [tf.Tensor, ArrayLike<number>][] = [
        [measured.z, expected["z"]!],
        [measured.dqkv, expected["dqkv"]!],
        [measured.norms, expected["norms"]!],
        [filled(keys), cut(expected["keys"]!)],
        [filled(values), cut(expected["values"]!)],
      ];
      for (const [tensor, right] of pairs) {
        const data = await tensor.data();
        expect(data.length).toBe(right.length);
        for (let i = 0; i < right.length; i++) {
          expect(Math.abs(data[i]! - right[i]!)).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(right[i]!)));
        }
        tensor.dispose();
      }
      tf.dispose([keys, values, qkv, pads, mask]);
    });
    await fc.assert(property, { numRuns: runs(60) });
  });
});
