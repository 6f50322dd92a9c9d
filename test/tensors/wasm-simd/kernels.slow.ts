import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { openBackend } from "../../../src/tensors/index.js";
import { FUSED, runKernel } from "../../../src/tensors/ops/fused.js";
import { findBlas } from "../../../src/tensors/wasm/blas/index.js";
import { registerKernels } from "../../../src/tensors/wasm/open.js";
import { openSimd } from "../../../src/tensors/wasm/simd/module.js";
import { attentionCase, expectAttention, expectAttentionGradient } from "./attention.js";
import {
  EXTREME,
  SPECIAL,
  expectWithin,
  normalise,
  normaliser,
  run,
  sum,
  targetsIn,
  tidied,
  values,
  type Input,
  type Inputs,
} from "./running.js";

/*
 * Every fused kernel of the wasm backend against plain loops in float64, with SIMD and as the JavaScript loops that take its
 * place. Half an ulp of a float32 is 6e-8 of its value.
 */

const blas = findBlas().blas;

const width = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(255, 768, 1024, 1027));
const rows = fc.integer({ min: 1, max: 6 });
const seed = fc.integer({ min: 1, max: 1e6 });

const LINEAR = 2 * Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715 * LINEAR;
const exponentOf = (x: number): number => x * (LINEAR + CUBIC * x * x);
const logistic = (u: number): number => (u < 0 ? Math.exp(u) / (1 + Math.exp(u)) : 1 / (1 + Math.exp(-u)));
/** The rounding of u costs σ(u) that much of itself; below −87 it may be 0. */
const gateTolerance = (u: number): number =>
  logistic(u) * (5e-7 + 4e-7 * Math.min(Math.abs(u), 90)) + Math.exp(-87);

beforeAll(async () => {
  await openBackend("wasm");
});

describe.each(["SIMD", "JavaScript"] as const)("in %s,", (kind) => {
  let present = false;
  beforeAll(async () => {
    const { simd, reason } = await openSimd(tf.backend() as BackendWasm);
    present = simd !== null;
    if (kind === "SIMD" && !present) console.warn(`skipped: ${reason}`);
    registerKernels(blas?.sgemm, kind === "SIMD" ? simd : null);
  });
  const check = (name: string, body: () => void): void =>
    test(name, (context) => {
      context.skip(kind === "SIMD" && !present, "needs WebAssembly SIMD");
      body();
    });
  const checkWithBlas = (name: string, body: () => void): void => {
    if (blas) check(name, body);
    else test.skip(`${name} (needs OpenBLAS)`, body);
  };

  check("layer norms are within 1e-6 of float64, on rows far from zero too", () => {
    const shift = fc.constantFrom(0, 1, -1000);
    const property = fc.property(rows, width, seed, shift, (n, size, start, mean) => {
      const x = values(n * size, start, mean ? [] : [...SPECIAL, 80, -80], 1, mean);
      const [weight, bias] = [values(size, start + 1), values(size, start + 2)];
      const inputs = { x: [x, [n, size]], weight: [weight, [size]], bias: [bias, [size]] } satisfies Inputs;
      const [y] = run(FUSED.layerNorm, inputs, { epsilon: 1e-5 });
      expectWithin(y!, (at) => {
        const { normalised } = normalise(x, at, size);
        const scaled = normalised * weight[at % size]!;
        const tolerance = 1e-6 * (Math.abs(scaled) + Math.abs(bias[at % size]!)) + 1e-36;
        return { value: scaled + bias[at % size]!, tolerance };
      });
    });
    fc.assert(property, { numRuns: 60 });
  });

  check("a constant row is normalised to the bias, whatever its size", () => {
    for (const value of [0, 1e-40, 1, -3e4, 1e12]) {
      const x = new Float32Array(70).fill(value);
      const [weight, bias] = [values(70, 1), values(70, 2)];
      const inputs = { x: [x, [1, 70]], weight: [weight, [70]], bias: [bias, [70]] } satisfies Inputs;
      const [y] = run(FUSED.layerNorm, inputs, { epsilon: 1e-5 });
      expect(y).toEqual(bias.map((b) => b + 0));
    }
  });

  check("gradients of layer norms are within 2e-6 of their terms", () => {
    const property = fc.property(rows, width, seed, (n, size, start) => {
      const x = values(n * size, start);
      const [weight, dy] = [values(size, start + 1), values(n * size, start + 2)];
      const inputs = { x: [x, [n, size]], weight: [weight, [size]], dy: [dy, [n, size]] } satisfies Inputs;
      const [dx, dWeight, dBias] = run(FUSED.layerNormGrad, inputs, { epsilon: 1e-5 });
      const normal = Array.from(x, (_, at) => normalise(x, at, size));
      const slope = (at: number): number => dy[at]! * weight[at % size]!;
      expectWithin(dx!, (at) => {
        const first = at - (at % size);
        const { normalised, inverse } = normal[at]!;
        const mean = sum(size, (i) => slope(first + i)) / size;
        const dot = sum(size, (i) => slope(first + i) * normal[first + i]!.normalised) / size;
        const terms = Math.abs(slope(at)) + Math.abs(mean) + Math.abs(normalised * dot);
        return {
          value: (slope(at) - mean - normalised * dot) * inverse,
          tolerance: 2e-6 * (terms + sum(size, (i) => Math.abs(slope(first + i))) / size) * inverse + 1e-35,
        };
      });
      const columnSum = (term: (at: number) => number) => (column: number) => ({
        value: sum(n, (row) => term(row * size + column)),
        tolerance: 2e-6 * sum(n, (row) => Math.abs(term(row * size + column))) + 1e-36,
      });
      expectWithin(
        dWeight!,
        columnSum((at) => dy[at]! * normal[at]!.normalised),
      );
      expectWithin(
        dBias!,
        columnSum((at) => dy[at]!),
      );
    });
    fc.assert(property, { numRuns: 40 });
  });

  check("GELU behind a product is float64's, as far as the rounding of its exponent lets it be", () => {
    const property = fc.property(rows, width, seed, fc.boolean(), (n, size, start, keepPre) => {
      // Powers of two, so that the product is exact.
      const x = Float32Array.from({ length: n }, (_, row) => (row % 2 ? -1 : 1) * 2 ** (row % 3));
      const weight = values(size, start, [...SPECIAL, ...EXTREME], 2);
      const bias = values(size, start + 1, [0, -0]);
      const inputs = { x: [x, [n, 1]], weight: [weight, [1, size]], bias: [bias, [size]] } satisfies Inputs;
      const [post, pre] = run(FUSED.linearGelu, inputs, { keepPre });
      const sums = Float32Array.from(
        post!,
        (_, at) => x[Math.floor(at / size)]! * weight[at % size]! + bias[at % size]!,
      );
      if (keepPre) expect(pre).toEqual(sums.map((value) => value + 0));
      else expect(pre).toBeUndefined();
      expectWithin(post!, (at) => {
        const value = sums[at]!;
        const u = exponentOf(value);
        return { value: value * logistic(u), tolerance: Math.abs(value) * gateTolerance(u) + 1e-44 };
      });
    });
    fc.assert(property, { numRuns: 60 });
  });

  check("the gradient of GELU is within 2e-6 (JavaScript: 1e-5) of the incoming one", () => {
    const property = fc.property(width, seed, (size, start) => {
      const pre = values(size, start, [...SPECIAL, ...EXTREME], 3);
      const post = pre.map((x) => x * logistic(exponentOf(x)));
      const dy = values(size, start + 1);
      const [dx] = run(FUSED.geluGrad, { pre: [pre, [size]], post: [post, [size]], dy: [dy, [size]] });
      expectWithin(dx!, (at) => {
        const x = pre[at]!;
        const gate = logistic(exponentOf(x));
        const inner = gate * logistic(-exponentOf(x)) * x;
        const slope = gate + (inner === 0 ? 0 : inner * (LINEAR + 3 * CUBIC * x * x));
        return {
          value: dy[at]! * slope,
          tolerance: (kind === "SIMD" ? 2e-6 : 1e-5) * Math.abs(dy[at]!) + 1e-44,
        };
      });
    });
    fc.assert(property, { numRuns: 60 });
  });

  const classes = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1027, 50_257));
  const logitsOf = (count: number, start: number): Float32Array =>
    // GPT-2's logits are all far below zero.
    values(count, start, start % 2 ? [80, -80, -1e9, 0, -1e-40] : [-Infinity, -170], start % 3 ? 1 : 20, -60);

  check("log-probabilities are within 5e-7 nats and 1e-7 of float64, over any number of classes", () => {
    const property = fc.property(fc.integer({ min: 1, max: 3 }), classes, seed, (n, size, start) => {
      const logits = logitsOf(n * size, start);
      const targets = targetsIn(logits, n, size, start);
      const [logProbs] = run(FUSED.pickLogProb, { logits: [logits, [n, size]], targets: [targets, [n]] });
      expectWithin(logProbs!, (row) => {
        const value = logits[row * size + targets[row]!]! - normaliser(logits, row, size);
        return { value, tolerance: 5e-7 + 1e-7 * Math.abs(value) };
      });
    });
    fc.assert(property, { numRuns: 30 });
  });

  check("their gradient is dy·(onehot − p), as exactly as a float32 holds the log-probability", () => {
    const property = fc.property(
      fc.integer({ min: 1, max: 3 }),
      classes,
      seed,
      fc.boolean(),
      (n, size, start, inPlace) => {
        const logits = logitsOf(n * size, start);
        const targets = targetsIn(logits, n, size, start);
        const logProbs = Float32Array.from(
          targets,
          (target, row) => logits[row * size + target]! - normaliser(logits, row, size),
        );
        const dy = values(n, start + 1);
        const inputs = {
          logits: [logits, [n, size]],
          logProbs: [logProbs, [n]],
          targets: [targets, [n]],
          dy: [dy, [n]],
        } satisfies Inputs;
        const [dLogits] = run(FUSED.pickLogProbGrad, inputs, { inPlace });
        const normalisers = Array.from(targets, (_, row) => normaliser(logits, row, size));
        expectWithin(dLogits!, (at) => {
          const row = Math.floor(at / size);
          const logProb = logits[at]! - normalisers[row]!;
          const p = Math.exp(logProb);
          const own = at % size === targets[row];
          const rounding =
            1e-6 + 1.2e-7 * Math.min(Math.abs(logProb), 90) + 1.2e-7 * Math.abs(logProbs[row]!);
          return {
            value: dy[row]! * (Number(own) - p),
            tolerance: Math.abs(dy[row]!) * (p * rounding + Number(own) * 1e-7 + Math.exp(-87)) + 1e-44,
          };
        });
      },
    );
    fc.assert(property, { numRuns: 30 });
  });

  check("e^x is within 2 units of the last place down to −87, and exactly 0 below", () => {
    const exponents = Float32Array.from({ length: 100_003 }, (_, i) => (i === 0 ? 0 : -90 * (i / 1e5) ** 2));
    // With a certain class of logit 0, the gradient of a probability is e^logit.
    const one = (value: number): Input => [Float32Array.of(value), [1]];
    const [powers] = run(FUSED.pickLogProbGrad, {
      logits: [exponents, [1, exponents.length]],
      logProbs: one(0),
      targets: [Int32Array.of(0), [1]],
      dy: one(-1),
    });
    expectWithin(powers!.subarray(1), (i) => {
      const x = exponents[i + 1]!;
      if (x < -87) return { value: 0, tolerance: 0 };
      const ulp = 2 ** (Math.floor(Math.log2(Math.exp(x))) - 23);
      return { value: Math.exp(x), tolerance: 2 * ulp };
    });
  });

  const layouts = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    queries: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 21 }), fc.constantFrom(70)),
    past: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 })),
    spare: fc.integer({ min: 0, max: 3 }),
    dHead: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(64)),
    joined: fc.boolean(),
    pad: fc.integer({ min: 0, max: 9 }),
    sharpness: fc.constantFrom(1, 1, 8),
    seed,
  });

  checkWithBlas("attention is float64's, and exactly 0 for what a query does not see", () => {
    const property = fc.property(layouts, fc.boolean(), (layout, keepPattern) => {
      const made = attentionCase(layout);
      expectAttention(made, keepPattern);
    });
    fc.assert(property, { numRuns: 100 });
  });

  checkWithBlas("attention and its gradient are float64's where a sequence takes several blocks", () => {
    for (const past of [0, 100]) {
      const sizes = { batch: 1, heads: 2, queries: 260, past, spare: 1, dHead: 5, sharpness: 1, seed: 3 };
      const made = attentionCase({ ...sizes, joined: past === 0, pad: 0 });
      expectAttention(made, true);
      expectAttentionGradient(made, 3);
    }
  });

  checkWithBlas("the gradient of attention is float64's, and 0 where the cache is not filled", () => {
    const property = fc.property(layouts, (layout) => {
      const made = attentionCase({ ...layout, sharpness: 1 });
      expectAttentionGradient(made, layout.seed);
    });
    fc.assert(property, { numRuns: 40 });
  });

  check("rows with one id are added up, and others stay 0", () => {
    const property = fc.property(
      width,
      fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 20, minLength: 1 }),
      seed,
      (size, ids, start) => {
        const source = values(ids.length * size, start);
        const inputs = {
          rows: [source, [ids.length, size]],
          ids: [Int32Array.from(ids), [ids.length]],
        } satisfies Inputs;
        const [table] = run(FUSED.scatterAdd, inputs, { length: 7 });
        expect(table).toHaveLength(7 * size);
        expectWithin(table!, (at) => {
          const terms = ids.map((id, n) =>
            id === Math.floor(at / size) ? source[n * size + (at % size)]! : 0,
          );
          return {
            value: sum(terms.length, (n) => terms[n]!),
            tolerance: 1e-6 * sum(terms.length, (n) => Math.abs(terms[n]!)),
          };
        });
      },
    );
    fc.assert(property, { numRuns: 40 });
  });

  check("a step of RMSProp is within 1e-6 of float64's, and changes nothing where the gradient is 0", () => {
    const settings = { learningRate: 1e-3, decay: 0.99, epsilon: 1e-8 };
    const property = fc.property(width, seed, (size, start) => {
      const [parameter, gradient] = [values(size, start), values(size, start + 1, [...SPECIAL, 1e4])];
      const meanSquare = values(size, start + 2, [0, 1e-40, 1e-20]).map((x) => x * x);
      const inputs = {
        parameter: [parameter, [size]],
        meanSquare: [meanSquare, [size]],
        gradient: [gradient, [size]],
      } satisfies Inputs;
      const [moved, squares] = run(FUSED.rmsProp, inputs, settings);
      const squareOf = (at: number): number => 0.99 * meanSquare[at]! + (1 - 0.99) * gradient[at]! ** 2;
      expectWithin(squares!, (at) => ({ value: squareOf(at), tolerance: 1e-6 * squareOf(at) + 3e-45 }));
      expectWithin(moved!, (at) => {
        const step = (1e-3 * gradient[at]!) / (Math.sqrt(squareOf(at)) + 1e-8);
        return {
          value: parameter[at]! - step,
          tolerance:
            gradient[at] === 0 ? 0 : 1e-6 * Math.abs(step) + 1.2e-7 * Math.abs(parameter[at]!) + 3e-45,
        };
      });
    });
    fc.assert(property, { numRuns: 60 });
  });

  check("a row gives the same bits wherever it lies, and whatever lies beside it", () => {
    const property = fc.property(fc.integer({ min: 2, max: 6 }), width, seed, (n, size, start) => {
      const x = values(n * size, start);
      const targets = Int32Array.from({ length: n }, (_, row) => row % size);
      const [weight, bias] = [values(size, start + 1), values(size, start + 2)];
      const parameters = { weight: [weight, [size]], bias: [bias, [size]] } satisfies Inputs;
      const all = [
        run(FUSED.layerNorm, { x: [x, [n, size]], ...parameters }, { epsilon: 1e-5 }),
        run(FUSED.pickLogProb, { logits: [x, [n, size]], targets: [targets, [n]] }),
      ].flat();
      for (let row = 0; row < n; row++) {
        const own = x.slice(row * size, (row + 1) * size);
        const target = targets.slice(row, row + 1);
        const alone = [
          run(FUSED.layerNorm, { x: [own, [1, size]], ...parameters }, { epsilon: 1e-5 }),
          run(FUSED.pickLogProb, { logits: [own, [1, size]], targets: [target, [1]] }),
        ].flat();
        expect(alone[0]).toEqual(all[0]!.slice(row * size, (row + 1) * size));
        expect(alone[1]).toEqual(all[1]!.slice(row, row + 1));
      }
    });
    fc.assert(property, { numRuns: 30 });
  });

  check("what is not a number stays so", () => {
    const logits = new Float32Array(37).fill(1);
    logits[29] = Number.NaN;
    const [logProb] = run(FUSED.pickLogProb, { logits: [logits, [1, 37]], targets: [Int32Array.of(3), [1]] });
    expect(logProb![0]).toBeNaN();
    const ones = new Float32Array(37).fill(1);
    const parameters = { weight: [ones, [37]], bias: [ones, [37]] } satisfies Inputs;
    const [y] = run(FUSED.layerNorm, { x: [logits, [1, 37]], ...parameters }, { epsilon: 1e-5 });
    expect([...y!].every(Number.isNaN)).toBe(true);
  });

  check("tensors beyond the heap's first 2 GiB are computed like others", () => {
    const backend = tf.backend() as BackendWasm;
    const addressOf = ({ dataId }: tf.TensorInfo): number => backend.dataIdMap.get(dataId).memoryOffset >>> 0;
    // 4 MiB, as large as the pieces that fill the heap's lower half: there is no room left for it there.
    const shape: [number, number] = [1024, 1024];
    const x = values(2 ** 20, 5);
    const targets = Int32Array.from({ length: 1024 }, (_, row) => row);
    const measure = (): { results: Float32Array[]; lowest: number } =>
      tidied(() => {
        const [input, slope] = [x, x].map((data) => tf.tensor(data, shape) as tf.Tensor2D);
        const [row, ids] = [tf.ones([1024]), tf.tensor1d(targets, "int32")];
        const y = runKernel<tf.Tensor>(
          FUSED.layerNorm,
          { x: input!, weight: row, bias: row },
          { epsilon: 1e-5 },
        );
        const logProbs = runKernel<tf.Tensor>(FUSED.pickLogProb, { logits: y, targets: ids });
        const inputs = { logits: y, logProbs, targets: ids, dy: logProbs };
        const gradient = runKernel<tf.Tensor>(FUSED.pickLogProbGrad, inputs, { inPlace: false });
        const lowest = Math.min(...[input!, slope!, y, gradient].map(addressOf));
        return { lowest, results: [y, logProbs, gradient].map((t) => t.dataSync<"float32">().slice()) };
      });
    const below = measure();
    // Never touched, so that it takes addresses and no memory.
    const taken = [backend.makeOutput([2 ** 28], "float32")];
    try {
      while (addressOf(taken.at(-1)!) < 2 ** 31) taken.push(backend.makeOutput(shape, "float32"));
      const above = measure();
      expect(above.lowest).toBeGreaterThan(2 ** 31);
      for (const [i, result] of above.results.entries())
        expect(result.every((v, at) => v === below.results[i]![at])).toBe(true);
    } finally {
      for (const { dataId } of taken) backend.disposeData(dataId);
    }
  });
});
