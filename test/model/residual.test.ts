import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  accumulatedResidual,
  logitLens,
  residualRows,
  type GPT2,
  type Normalisation,
} from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { centre } from "../referee/ops.js";
import { CASES, expectValues, logSoftmaxOf, modelOf, relativeError, tail, type Case } from "./cases.js";

const NORMALISATIONS = ["as-published", "own-layer-norm"] as const;

/** Rows of the residual stream at each sequence's last position in float64, normalised. */
function rowsInFloat64(
  { config, weights, sequences }: Case,
  normalisation?: Normalisation,
): Map<string, Float64Array> {
  const { activations } = forward(weights, config, layOut(sequences, config));
  const last = (name: string): Float64Array => {
    const { values, shape } = activations.get(name)!;
    return tail(values, shape, 1, shape[1]! - 1);
  };
  const { dModel } = config;
  const [weight, bias] = [weights.get("ln_f.weight")!, weights.get("ln_f.bias")!];
  const final = last(`blocks.${config.nLayer - 1}.hook_resid_post`);
  const frozen = centre(final, dModel, config.layerNormEpsilon).scale;
  const normalised = (x: Float64Array): Float64Array => {
    if (!normalisation) return x;
    const { centred, scale } = centre(x, dModel, config.layerNormEpsilon);
    const published = normalisation === "as-published";
    return centred.map((value, i) => {
      const row = Math.floor(i / dModel);
      const divided = (value / (published ? frozen : scale)[row]!) * weight[i % dModel]!;
      return published ? divided : divided + bias[i % dModel]!;
    });
  };
  const rows = new Map<string, Float64Array>();
  for (let layer = 0; layer < config.nLayer; layer += 1) {
    rows.set(`${layer}_pre`, normalised(last(`blocks.${layer}.hook_resid_pre`)));
    rows.set(`${layer}_mid`, normalised(last(`blocks.${layer}.hook_resid_mid`)));
  }
  return rows.set("final_post", normalised(final));
}

/** The probability of a token that each row gives, `[row][sequence]`. */
function lensInFloat64(own: Case, token: number, normalisation: Normalisation): number[][] {
  const { dModel, vocabSize } = own.config;
  const table = own.weights.get("lm_head.weight") ?? own.weights.get("wte.weight")!;
  return [...rowsInFloat64(own, normalisation).values()].map((rows) =>
    own.sequences.map((_, sequence) => {
      const logits = Array.from({ length: vocabSize }, (__, id) => {
        let dot = 0;
        for (let i = 0; i < dModel; i += 1) dot += rows[sequence * dModel + i]! * table[id * dModel + i]!;
        return dot;
      });
      return Math.exp(logSoftmaxOf(logits, vocabSize)[token]!);
    }),
  );
}

onEachBackend(({ some }) => {
  describe.each(some(CASES))("$name", (own) => {
    const { config, sequences } = own;
    let model: GPT2;
    let folded: GPT2;
    beforeAll(() => {
      model = modelOf(own);
      folded = model.processed("folded");
    });
    afterAll(() => {
      folded.dispose();
      model.dispose();
    });

    test.each(some([undefined, ...NORMALISATIONS]))(
      "the accumulated residual stream, normalised: %s",
      async (normalisation) => {
        const names = residualRows(config).map(({ name }) => name);
        const { logits, cache } = model.runWithCache(sequences, { names, positions: -1, padding: "masked" });
        const { labels, stack } = accumulatedResidual(model, cache, { normalisation });
        const expected = rowsInFloat64(own, normalisation);
        expect(labels).toEqual([...expected.keys()]);
        expect(stack.shape).toEqual([labels.length, sequences.length, 1, config.dModel]);
        await expectValues(stack, Float64Array.from([...expected.values()].flatMap((row) => [...row])), 1e-5);
        logits.dispose();
        cache.dispose();
      },
    );

    test.each(some(NORMALISATIONS))("the logit lens, %s", async (normalisation) => {
      const token = 3;
      const { rows, probabilities } = await logitLens(model, sequences, token, {
        normalisation,
        padding: "masked",
      });
      expect(rows).toEqual([...rowsInFloat64(own).keys()]);
      const expected = lensInFloat64(own, token, normalisation);
      expect(relativeError(probabilities.flat(), expected.flat())).toBeLessThan(1e-5);
    });

    test("as published, folded weights give the same probabilities as those of the file", async () => {
      const options = { padding: "masked", normalisation: "as-published" } as const;
      const { probabilities } = await logitLens(folded, sequences, 4, options);
      const expected = lensInFloat64(own, 4, "as-published");
      expect(relativeError(probabilities.flat(), expected.flat())).toBeLessThan(1e-5);
    });

    test("with its own layer norm, the last row is the model's own probability", async () => {
      const { logProbs } = forward(own.weights, config, layOut(sequences, config));
      const last = tail(logProbs.values, logProbs.shape, 1, logProbs.shape[1]! - 1);
      const expected = sequences.map((_, row) => Math.exp(last[row * config.vocabSize + 4]!));
      for (const own of [model, folded]) {
        const { probabilities } = await logitLens(own, sequences, 4, {
          normalisation: "own-layer-norm",
          padding: "masked",
        });
        expect(relativeError(probabilities.at(-1)!, expected)).toBeLessThan(1e-5);
      }
    });

    test("a token out of range, and rows that were not kept, are refused; nothing is left behind", async () => {
      const before = tf.memory().numTensors;
      await expect(logitLens(model, sequences, config.vocabSize, { padding: "masked" })).rejects.toThrow(
        `token ${config.vocabSize}: expected 0 to ${config.vocabSize - 1}`,
      );
      await expect(logitLens(model, sequences, 0)).rejects.toThrow(/say padding/);
      const { residual, cache } = model.runWithCache([[1]], {
        names: "blocks.0.hook_resid_pre",
        stopAtLayer: 1,
      });
      expect(() => accumulatedResidual(model, cache)).toThrow(/blocks\.0\.hook_resid_mid was not kept/);
      expect(() => accumulatedResidual(model, cache, { layer: 9 })).toThrow(/got 9, expected/);
      residual.dispose();
      cache.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });
  });
});

test("the rows of the residual stream: up to any block, with and without the middle", () => {
  const labels = (options?: Parameters<typeof residualRows>[1]): string[] =>
    residualRows({ nLayer: 3 }, options).map(({ label }) => label);
  expect(labels()).toEqual(["0_pre", "0_mid", "1_pre", "1_mid", "2_pre", "2_mid", "final_post"]);
  expect(labels({ includeMid: false })).toEqual(["0_pre", "1_pre", "2_pre", "final_post"]);
  expect(labels({ layer: 1 })).toEqual(["0_pre", "0_mid", "1_pre"]);
  expect(labels({ layer: -2, includeMid: false })).toEqual(["0_pre", "1_pre"]);
  expect(labels({ layer: 0 })).toEqual(["0_pre"]);
  expect(labels({ layer: 3 })).toEqual(labels());
  const names = residualRows({ nLayer: 3 }, { layer: 1 }).map(({ name }) => name);
  expect(names).toEqual(["blocks.0.hook_resid_pre", "blocks.0.hook_resid_mid", "blocks.1.hook_resid_pre"]);
  expect(residualRows({ nLayer: 3 }).at(-1)?.name).toBe("blocks.2.hook_resid_post");
});
