import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { gaussian } from "../../src/base/random.js";
import type { GPT2Config } from "../../src/model/index.js";
import { readConfig } from "../../src/model/config.js";
import type { TensorSummary } from "../../src/cli/parity/golden.js";
import { TINY } from "../model/folders.js";
import {
  backward,
  forward,
  layOut,
  nextTokenLoss,
  randomWeights,
  readWeights,
  rmspropStep,
} from "./index.js";
import { policyLoss, sequencesOf, type Pair } from "./preferences.js";

const golden = JSON.parse(readFileSync(join(TINY, "golden.json"), "utf8")) as {
  forward: {
    ids: number[][];
    loss: number;
    log_probs_last: number[][];
    logits: TensorSummary;
    hooks: Record<string, TensorSummary>;
  };
  gradients: { grads: Record<string, TensorSummary> };
  padding: {
    sequences: number[][];
    masked_log_probs_last: number[][];
    as_published_log_probs_last: number[][];
  };
  dpo: {
    beta: number;
    pairs: Pair[];
    first_step: { grads_after_clip: Record<string, TensorSummary> };
    trajectory: { loss: number; grad_norm: number }[];
    params_after_4_steps: Record<string, TensorSummary>;
  };
};
const config = readConfig(TINY);
const weights = readWeights(TINY);

/** The largest difference, relative to the largest value (of either). */
function error(measured: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(measured.length).toBe(expected.length);
  let [worst, size] = [0, 1e-300];
  for (let i = 0; i < expected.length; i += 1) {
    worst = Math.max(worst, Math.abs(measured[i]! - expected[i]!));
    size = Math.max(size, Math.abs(expected[i]!));
  }
  return worst / size;
}

/** Of the statistics of golden.json, all relative to the norm of the whole. */
function summaryError(values: Float64Array, summary: TensorSummary): number {
  const norm = Math.sqrt(values.reduce((total, x) => total + x * x, 0));
  const sum = values.reduce((total, x) => total + x, 0);
  const size = Math.max(summary.norm, 1e-300);
  const ends = [summary.first8, summary.last8].flatMap((end, i) =>
    end.map((x, j) => (i === 0 ? values[j]! : values[values.length - end.length + j]!) - x),
  );
  return Math.max(...[norm - summary.norm, sum - summary.sum, ...ends].map((x) => Math.abs(x))) / size;
}

function lastRows(values: Float64Array, sequences: number): Float64Array[] {
  const width = config.vocabSize;
  const stride = values.length / sequences;
  return Array.from({ length: sequences }, (_, i) =>
    values.slice((i + 1) * stride - width, (i + 1) * stride),
  );
}

describe("the golden model in float64, to 1e-9", () => {
  const { ids, loss, log_probs_last, logits, hooks } = golden.forward;
  const pass = forward(weights, config, layOut(ids, config));
  const own = nextTokenLoss(pass);

  test("logits, log-probabilities and loss", () => {
    expect(summaryError(pass.logits.values, logits)).toBeLessThan(1e-9);
    expect(pass.logits.shape).toEqual(logits.shape);
    lastRows(pass.logProbs.values, ids.length).forEach((row, i) =>
      expect(error(row, log_probs_last[i]!)).toBeLessThan(1e-9),
    );
    expect(own.loss / loss).toBeCloseTo(1, 12);
  });

  test.each(Object.keys(hooks))("%s", (name) => {
    const activation = pass.activations.get(name);
    expect(activation?.shape).toEqual(hooks[name]!.shape);
    expect(summaryError(activation!.values, hooks[name]!)).toBeLessThan(1e-9);
  });

  test("the gradient of the loss by every parameter", () => {
    const gradients = backward(pass, own.dLogits).weights;
    expect([...gradients.keys()].sort()).toEqual(Object.keys(golden.gradients.grads).sort());
    for (const [name, summary] of Object.entries(golden.gradients.grads)) {
      expect(summaryError(gradients.get(name)!, summary), name).toBeLessThan(1e-9);
    }
  });

  test.each([
    ["masked", golden.padding.masked_log_probs_last],
    ["as-published", golden.padding.as_published_log_probs_last],
  ] as const)("padding %s", (padding, expected) => {
    const { sequences } = golden.padding;
    const padded = forward(weights, config, layOut(sequences, config, padding));
    lastRows(padded.logProbs.values, sequences.length).forEach((row, i) =>
      expect(error(row, expected[i]!)).toBeLessThan(1e-9),
    );
  });

  test("four steps of DPO: any cotangent on the logits, and RMSProp", () => {
    const { beta, pairs, trajectory, first_step, params_after_4_steps } = golden.dpo;
    const reference = readWeights(join(TINY, "ref"));
    const frozen = forward(reference, config, layOut(sequencesOf(pairs), config));
    const averages = new Map<string, Float64Array>();
    let policy = weights;
    trajectory.forEach((expected, step) => {
      const pass = forward(policy, config, layOut(sequencesOf(pairs), config));
      const { loss, dLogits } = policyLoss(pass, frozen, pairs, beta);
      const gradients = backward(pass, dLogits).weights;
      const squares = [...gradients.values()].flatMap((own) => [...own]).reduce((sum, x) => sum + x * x, 0);
      expect(loss / expected.loss).toBeCloseTo(1, 9);
      expect(Math.sqrt(squares) / expected.grad_norm).toBeCloseTo(1, 9);
      if (step === 0) {
        for (const [name, summary] of Object.entries(first_step.grads_after_clip)) {
          expect(summaryError(gradients.get(name)!, summary), name).toBeLessThan(1e-9);
        }
      }
      const learningRate = 2e-5 * Math.min(1, (step + 1) / 3);
      policy = rmspropStep(policy, gradients, averages, { learningRate });
    });
    for (const [name, summary] of Object.entries(params_after_4_steps)) {
      expect(summaryError(policy.get(name)!, summary), name).toBeLessThan(1e-9);
    }
  });
});

const OTHER_SHAPES: [string, GPT2Config][] = [
  ["one block, three heads", shape({ nLayer: 1, nHead: 3, dHead: 2, dMlp: 7, vocabSize: 11 })],
  ["three blocks, one head", shape({ nLayer: 3, nHead: 1, dHead: 5, dMlp: 20, vocabSize: 7 })],
];

function shape(own: Pick<GPT2Config, "nLayer" | "nHead" | "dHead" | "dMlp" | "vocabSize">): GPT2Config {
  const last = own.vocabSize - 1;
  const rest = { nPositions: 6, layerNormEpsilon: 1e-5, bosTokenId: last, eosTokenId: last };
  return { ...own, ...rest, dModel: own.nHead * own.dHead };
}

const SEQUENCES = [[1, 4, 4, 0, 3], [5, 2], [3]];

describe.each(OTHER_SHAPES)("gradients of %s against central differences", (_, other) => {
  const normal = gaussian(7);
  const values = randomWeights(other, () => 0.4 * normal());
  values.set(
    "lm_head.weight",
    Float64Array.from({ length: other.vocabSize * other.dModel }, () => normal()),
  );
  const tied = new Map([...values].filter(([name]) => name !== "lm_head.weight"));
  const STEP = 1e-5;

  const difference = (f: () => number, x: Float64Array, i: number): number => {
    const before = x[i]!;
    const at = [STEP, -STEP].map((step) => {
      x[i] = before + step;
      return f();
    });
    x[i] = before;
    return (at[0]! - at[1]!) / (2 * STEP);
  };

  test.each([
    ["masked", "tied", tied],
    ["masked", "untied", values],
    ["as-published", "tied", tied],
  ] as const)("of the loss by every parameter: padding %s, unembedding %s", (padding, __, own) => {
    const batch = layOut(SEQUENCES, other, padding);
    const loss = (): number => nextTokenLoss(forward(own, other, batch)).loss;
    const pass = forward(own, other, batch);
    const gradients = backward(pass, nextTokenLoss(pass).dLogits).weights;
    for (const [name, x] of own) {
      const measured = x.map((___, i) => difference(loss, x, i));
      const size = Math.max(...measured.map(Math.abs), 1e-2);
      gradients
        .get(name)!
        .forEach((g, i) => expect(Math.abs(g - measured[i]!) / size, `${name} ${i}`).toBeLessThan(1e-7));
    }
  });

  test("of a sum of weighted logits by the residual stream, wherever it is hooked, pads included", () => {
    const batch = layOut(SEQUENCES, other);
    const pass = forward(tied, other, batch);
    const cotangent = pass.logits.values.map(() => normal());
    const { residuals } = backward(pass, cotangent);
    expect(residuals.size).toBe(3 * other.nLayer);
    for (const [name, gradient] of residuals) {
      const nudge = new Float64Array(gradient.length);
      const weighted = (): number => {
        const nudged = forward(tied, other, batch, (at, { values: x }) => {
          if (at === name) x.forEach((__, i) => (x[i]! += nudge[i]!));
        });
        return nudged.logits.values.reduce((sum, logit, i) => sum + logit * cotangent[i]!, 0);
      };
      const measured = nudge.map((__, i) => difference(weighted, nudge, i));
      expect(error(gradient, measured), name).toBeLessThan(1e-6);
    }
  });
});

describe("padding as TransformerLens 1.12 has it", () => {
  const [, other] = OTHER_SHAPES[1]!;
  const normal = gaussian(3);
  const values = randomWeights(other, () => 0.4 * normal());
  const token = fc.integer({ min: 0, max: other.vocabSize - 1 });

  test("masked: a sequence means the same alone and padded beside a longer one", () => {
    const short = fc.array(token, { minLength: 1, maxLength: 5 });
    const long = fc.array(token, { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(short, long, (a, b) => {
        const width = other.vocabSize;
        const alone = forward(values, other, layOut([a], other)).logits.values;
        const beside = forward(values, other, layOut([a, b], other)).logits.values;
        const real = beside.slice((b.length - a.length) * width, b.length * width);
        expect(error(real, alone)).toBeLessThan(1e-12);
      }),
    );
  });

  test("masked: a pad has no positional embedding and its query attends to nothing", () => {
    const { activations } = forward(values, other, layOut([[1, 2, 3], [4]], other));
    const read = (name: string): Float64Array => activations.get(name)!.values;
    const { dModel } = other;
    expect([...read("hook_pos_embed").subarray(3 * dModel, 5 * dModel)].every((x) => x === 0)).toBe(true);
    expect(read("hook_embed").subarray(3 * dModel, 4 * dModel)).toEqual(
      values.get("wte.weight")!.subarray(other.eosTokenId * dModel),
    );
    expect([...read("blocks.0.attn.hook_pattern").subarray(9)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect([...read("blocks.0.attn.hook_z").subarray(3 * dModel, 5 * dModel)].every((x) => x === 0)).toBe(
      true,
    );
    expect(read("blocks.2.hook_attn_out").subarray(3 * dModel, 4 * dModel)).toEqual(
      values.get("h.2.attn.c_proj.bias"),
    );
  });

  test("as published: a short sequence is one that begins with end-of-text tokens", () => {
    const padded = forward(values, other, layOut([[1, 2, 3], [4]], other, "as-published"));
    const prefixed = forward(values, other, layOut([[other.eosTokenId, other.eosTokenId, 4]], other));
    const half = padded.logits.values.length / 2;
    expect(error(padded.logits.values.slice(half), prefixed.logits.values)).toBeLessThan(1e-12);
  });
});

test("RMSProp's first step is lr·g/(√((1−α)g²) + ε)", () => {
  const averages = new Map<string, Float64Array>();
  const gradients = new Map([["a", Float64Array.of(4, -0.5, 0)]]);
  const before = new Map([["a", Float64Array.of(1, 1, 1)]]);
  const after = rmspropStep(before, gradients, averages, { learningRate: 0.01, alpha: 0.75, epsilon: 0.5 });
  expect([...averages.get("a")!]).toEqual([4, 0.0625, 0]);
  expect([...after.get("a")!]).toEqual([1 - 0.04 / 2.5, 1 + 0.005 / 0.75, 1]);
});
