import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as tf from "@tensorflow/tfjs-core";
import { perturbPast, type Perturbation } from "../../../src/alignment/pplm/index.js";
import { AttributeHead } from "../../../src/alignment/pplm/objective.js";
import { settingsOf, type PPLMOptions } from "../../../src/alignment/pplm/options.js";
import { PerturbedBatch } from "../../../src/alignment/pplm/perturbed-batch.js";
import type { GPT2 } from "../../../src/model/index.js";
import { openBackend } from "../../../src/tensors/index.js";
import { onEachBackend } from "../../backends.js";
import { expectNoneLeft } from "../../none-left.js";
import { literalPplm, type LiteralToken } from "./literal.js";
import { CONTEXTS, smallHead, smallModel } from "./settings.js";

function expectClose(measured: readonly number[], expected: readonly number[], tolerance = 1e-4): void {
  expect(measured).toHaveLength(expected.length);
  measured.forEach((value, i) => {
    const own = expected[i] as number;
    expect(Math.abs(value - own)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(own)));
  });
}

function expectSame(a: Perturbation, b: Perturbation): void {
  expect(a.iterations).toHaveLength(b.iterations.length);
  a.iterations.forEach((own, i) => {
    const other = b.iterations[i]!;
    expectClose([own.loss, own.crossEntropy, own.kl], [other.loss, other.crossEntropy, other.kl]);
    expectClose(own.gradientNorms, other.gradientNorms);
  });
  for (const name of ["unperturbed", "perturbed", "fused"] as const) expectClose(a[name], b[name]);
}

/** What a batch makes of contexts that go on with the given tokens, token by token and row by row. */
async function trace(
  model: GPT2,
  contexts: readonly (readonly number[])[],
  tokens: readonly (readonly number[])[],
  stream: "pre-ln_f" | "post-ln_f",
  options: PPLMOptions,
): Promise<LiteralToken[][]> {
  const settings = settingsOf(options);
  const head = new AttributeHead(smallHead(stream));
  const newTokens = tokens[0]!.length;
  const batch = PerturbedBatch.begin(model, head, contexts, { newTokens, horizon: settings.horizon });
  const traces: LiteralToken[][] = contexts.map(() => []);
  const rowsOf = async (x: tf.Tensor): Promise<number[][]> => {
    const rows = (await x.array()) as number[][];
    x.dispose();
    return rows;
  };
  for (let token = 0; token < newTokens; token++) {
    const iterations: { crossEntropy: number[]; kl: number[]; gradientNorms: number[][] }[] = [];
    for (let i = 0; i < settings.iterations; i++) {
      const own = batch.iterate(settings);
      iterations.push({
        crossEntropy: (await rowsOf(own.crossEntropy)) as unknown as number[],
        kl: (await rowsOf(own.kl)) as unknown as number[],
        gradientNorms: (await Promise.all(own.gradientNorms.map(rowsOf))) as unknown as number[][],
      });
    }
    const { perturbed, unperturbed } = batch.next(settings.temperature);
    const [after, before] = [await rowsOf(perturbed), await rowsOf(unperturbed)];
    traces.forEach((own, row) =>
      own.push({
        iterations: iterations.map(({ crossEntropy, kl, gradientNorms }) => ({
          crossEntropy: crossEntropy[row]!,
          kl: kl[row]!,
          gradientNorms: gradientNorms.map((layer) => layer[row]!),
        })),
        perturbed: after[row]!,
        unperturbed: before[row]!,
      }),
    );
    if (token < newTokens - 1) batch.append(tokens.map((own) => own[token]!));
  }
  batch.dispose();
  head.dispose();
  return traces;
}

const TOKENS = [
  [3, 8, 1],
  [0, 22, 7],
  [11, 2, 2],
];

/** What each variant of the method is, and the hidden states that its head reads. */
const VARIANTS: [name: string, stream: "pre-ln_f" | "post-ln_f", options: PPLMOptions][] = [
  ["as in Table 6, of the paper's size", "post-ln_f", { iterations: 3 }],
  [
    "a probe's stream, gamma 1.5, temperature 0.7",
    "pre-ln_f",
    { gamma: 1.5, stepSize: 0.05, temperature: 0.7 },
  ],
  ["a horizon of 3", "pre-ln_f", { horizon: 3 }],
  ["a window of 2", "post-ln_f", { windowLength: 2 }],
  [
    "a window of 3 that fades, the last token a constant",
    "post-ln_f",
    { windowLength: 3, decay: true, detachLast: true },
  ],
];

onEachBackend(({ some, slow }) => {
  let model: GPT2;
  beforeAll(() => {
    model = smallModel();
  });
  afterAll(() => model.dispose());

  describe("the past that is carried from token to token is that of the literal algorithm", () => {
    test.each(some(VARIANTS))("%s", async (_, stream, options) => {
      const own = { iterations: 2, ...options };
      const traces = await trace(model, CONTEXTS, TOKENS, stream, own);
      // The literal one reads values as it goes, which a GPU does not do.
      const backend = tf.getBackend();
      await openBackend("cpu");
      const twin = smallModel();
      CONTEXTS.forEach((context, row) => {
        tf.engine().startScope();
        const literal = literalPplm(twin, smallHead(stream), context, TOKENS[row]!, settingsOf(own));
        tf.engine().endScope();
        literal.forEach((token, i) => {
          const measured = traces[row]![i]!;
          expectClose(measured.unperturbed, token.unperturbed);
          expectClose(measured.perturbed, token.perturbed, 1e-3);
          token.iterations.forEach((iteration, n) => {
            const { crossEntropy, kl, gradientNorms } = measured.iterations[n]!;
            expectClose([crossEntropy, kl], [iteration.crossEntropy, iteration.kl], 1e-3);
            expectClose(gradientNorms, iteration.gradientNorms, 1e-3);
          });
        });
      });
      twin.dispose();
      await openBackend(backend as "cpu");
    });
  });

  test("a batch of unequal lengths gives what each row gives alone", async () => {
    const options = { attribute: smallHead(), iterations: 3, stepSize: 0.2 };
    const together = await perturbPast(model, CONTEXTS, options);
    for (const [row, context] of CONTEXTS.entries()) {
      const [alone] = await perturbPast(model, [context], options);
      expectSame(together[row]!, alone!);
    }
  });

  test("the gradient is that of the loss: a small step lowers it by its length times the gradient's norm", async () => {
    const stepSize = 2e-3;
    const options = { attribute: smallHead("pre-ln_f"), iterations: 2, stepSize, klScale: 0.5 };
    for (const { iterations } of await perturbPast(model, CONTEXTS, options)) {
      const [before, after] = iterations;
      const expected = stepSize * before!.gradientNorms.reduce((sum, norm) => sum + norm, 0);
      expect((before!.loss - after!.loss) / expected).toBeGreaterThan(0.9);
      expect((before!.loss - after!.loss) / expected).toBeLessThan(1.1);
    }
  });

  test("the attribute becomes likelier with every iteration, at the cost of divergence", async () => {
    const options = { attribute: smallHead(), iterations: slow ? 4 : 12, stepSize: 0.1, klScale: 0 };
    for (const { iterations } of await perturbPast(model, CONTEXTS, options)) {
      const entropies = iterations.map(({ crossEntropy }) => crossEntropy);
      expect([...entropies].sort((a, b) => b - a)).toEqual(entropies);
      expect(iterations[0]!.kl).toBeCloseTo(0, 6);
      expect(iterations[iterations.length - 1]!.kl).toBeGreaterThan(1e-4);
    }
  });

  test("the fused distribution is the geometric mean, of which the likeliest are kept", async () => {
    const options = { attribute: smallHead(), iterations: 2, gmScale: 0.7, topK: 4 };
    for (const { perturbed, unperturbed, fused } of await perturbPast(model, CONTEXTS, options)) {
      const means = perturbed.map((p, i) => p ** 0.7 * unperturbed[i]! ** 0.3);
      const least = [...means].sort((a, b) => b - a)[3]!;
      const kept = means.map((p) => (p >= least ? p : 0));
      const sum = kept.reduce((total, p) => total + p, 0);
      expectClose(
        fused,
        kept.map((p) => p / sum),
        1e-5,
      );
    }
  });

  test("no tensor is left behind, of a failure neither", async () => {
    const options = { attribute: smallHead(), iterations: 2, horizon: 2, windowLength: 1 };
    await expectNoneLeft(() => perturbPast(model, CONTEXTS, options));
    await expectNoneLeft(() => expect(perturbPast(model, [[1, 99]], options)).rejects.toThrow(/token id 99/));
  });
});
