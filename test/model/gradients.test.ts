import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  gaussian,
  gradientsOf,
  lossGradients,
  nextTokenLoss,
  type ForwardOptions,
  type GPT2,
} from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { backward, forward, layOut, nextTokenLoss as refereeLoss, type Pass } from "../referee/index.js";
import { centralDifferences } from "../referee/differences.js";
import { CASES, TWO_BLOCKS, expectValues, modelOf, WIDE, type Case } from "./cases.js";

const TOLERANCE = 5e-5;
const PADDINGS = ["masked", "as-published"] as const;

/** Weights of the logits in the scalar that gradients are taken of. */
function cotangentOf({ logits }: Pass): Float64Array {
  const normal = gaussian(9);
  return logits.values.map(() => Math.fround(normal()));
}

function weighted(logits: tf.Tensor3D, cotangent: Float64Array): tf.Scalar {
  return tf.sum(tf.mul(logits, tf.tensor(Float32Array.from(cotangent), logits.shape)));
}

/** Gradients of the weighted logits by any activation but attention's scores and pattern, by differences in float64. */
function differencesOf({ config, weights, sequences }: Case, point: string): Float64Array {
  const batch = layOut(sequences, config);
  const pass = forward(weights, config, batch);
  const cotangent = cotangentOf(pass);
  const nudge = new Float64Array(pass.activations.get(point)!.values.length);
  return centralDifferences(() => {
    const nudged = forward(weights, config, batch, (name, { values }) => {
      if (name === point) values.forEach((_, i) => (values[i]! += nudge[i]!));
    });
    return nudged.logits.values.reduce((sum, logit, i) => sum + logit * cotangent[i]!, 0);
  }, nudge);
}

onEachBackend(({ slow, some }) => {
  describe.each(some([...CASES, WIDE]))("$name", (own) => {
    const { config, weights, sequences, even } = own;
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    test("the loss and its gradient by every parameter", async () => {
      const pass = forward(weights, config, layOut(even, config));
      const expected = refereeLoss(pass);
      const { loss, gradients } = await lossGradients(model, even);
      expect(loss / expected.loss).toBeCloseTo(1, 5);
      const ofReferee = backward(pass, expected.dLogits).weights;
      expect([...gradients.keys()].sort()).toEqual([...ofReferee.keys()].sort());
      for (const [name, gradient] of gradients) {
        expect(gradient.shape).toEqual(model.weight(name).shape);
        await expectValues(gradient, ofReferee.get(name)!, TOLERANCE, name);
      }
      const [plain] = await tf.tidy(() => nextTokenLoss(model.forward(even), even)).data();
      expect(plain! / expected.loss).toBeCloseTo(1, 5);
    });

    test.each(some(PADDINGS))(
      "of any scalar by every parameter and the residual stream, pads included: padding %s",
      async (padding) => {
        const pass = forward(weights, config, layOut(sequences, config, padding));
        const cotangent = cotangentOf(pass);
        const expected = backward(pass, cotangent);
        const gradients = await gradientsOf(
          model,
          (options) => weighted(model.forward(sequences, options), cotangent),
          { parameters: "all", activations: [...expected.residuals.keys()], padding },
        );
        const value = pass.logits.values.reduce((sum, logit, i) => sum + logit * cotangent[i]!, 0);
        expect(Math.abs(gradients.value - value)).toBeLessThan(1e-3);
        for (const [name, gradient] of gradients.parameters) {
          await expectValues(tf.clone(gradient), expected.weights.get(name)!, TOLERANCE, name);
        }
        for (const [name, gradient] of gradients.activations) {
          await expectValues(tf.clone(gradient), expected.residuals.get(name)!, TOLERANCE, name);
        }
        gradients.dispose();
      },
    );
  });

  describe("by activations", () => {
    const own = slow ? (CASES[0] as Case) : TWO_BLOCKS;
    const { config, weights, sequences } = own;
    const pass = forward(weights, config, layOut(sequences, config));
    const cotangent = cotangentOf(pass);
    const last = config.nLayer - 1;
    const scalar = (options: ForwardOptions): tf.Tensor =>
      weighted(model.forward(sequences, options), cotangent);
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    const points = ["q", "k", "v", "z"].map((name) => `blocks.0.attn.hook_${name}`);
    points.push(
      "hook_embed",
      "hook_pos_embed",
      `blocks.${last}.mlp.hook_pre`,
      "blocks.0.mlp.hook_post",
      "blocks.0.hook_attn_out",
      `blocks.${last}.hook_mlp_out`,
      "blocks.0.ln1.hook_scale",
      `blocks.${last}.ln2.hook_normalized`,
      "ln_final.hook_scale",
    );

    test("agree with differences in float64 wherever there is a hook", async () => {
      const { activations, dispose } = await gradientsOf(model, scalar, {
        activations: points,
        padding: "masked",
      });
      expect([...activations.keys()].sort()).toEqual([...points].sort());
      for (const [name, gradient] of activations) {
        expect(gradient.shape).toEqual(pass.activations.get(name)!.shape);
        await expectValues(tf.clone(gradient), differencesOf(own, name), TOLERANCE, name);
      }
      dispose();
    });

    test("by a pattern and its scores they follow from that by z", async () => {
      const { batch, nHead, dHead, positions } = { ...config, ...pass.batch };
      const dz = differencesOf(own, "blocks.0.attn.hook_z");
      const [v, pattern] = ["v", "pattern"].map(
        (name) => pass.activations.get(`blocks.0.attn.hook_${name}`)!.values,
      ) as [Float64Array, Float64Array];
      const row = (b: number, position: number, head: number): number =>
        ((b * positions + position) * nHead + head) * dHead;
      const dPattern = new Float64Array(batch * nHead * positions * positions);
      for (let i = 0; i < dPattern.length; i += 1) {
        const [key, query] = [i % positions, Math.floor(i / positions) % positions];
        const [head, b] = [Math.floor(i / positions ** 2) % nHead, Math.floor(i / positions ** 2 / nHead)];
        for (let j = 0; j < dHead; j += 1)
          dPattern[i]! += dz[row(b, query, head) + j]! * v[row(b, key, head) + j]!;
      }
      const dScores = dPattern.map((slope, i) => {
        const start = i - (i % positions);
        const mean = dPattern
          .subarray(start, start + positions)
          .reduce((sum, x, j) => sum + x * pattern[start + j]!, 0);
        return pattern[i]! * (slope - mean);
      });
      const { activations, dispose } = await gradientsOf(model, scalar, {
        activations: ["blocks.0.attn.hook_attn_scores", "blocks.0.attn.hook_pattern"],
        padding: "masked",
      });
      await expectValues(tf.clone(activations.get("blocks.0.attn.hook_pattern")!), dPattern, TOLERANCE);
      await expectValues(tf.clone(activations.get("blocks.0.attn.hook_attn_scores")!), dScores, TOLERANCE);
      dispose();
    });

    test("are by what hooks have made of them", async () => {
      const point = "blocks.0.hook_mlp_out";
      const doubled = { [point]: (x: tf.Tensor) => tf.mul(x, 2) };
      const edited = forward(weights, config, layOut(sequences, config), (name, { values }) => {
        if (name === point) values.forEach((x, i) => (values[i] = 2 * x));
      });
      const { activations, dispose } = await gradientsOf(model, scalar, {
        activations: point,
        padding: "masked",
        hooks: doubled,
      });
      const expected = backward(edited, cotangent).residuals.get("blocks.0.hook_resid_post")!;
      await expectValues(tf.clone(activations.get(point)!), expected, TOLERANCE);
      dispose();
    });
  });

  describe("what is asked for and what is not", () => {
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(TWO_BLOCKS);
    });
    afterAll(() => model.dispose());
    const ids = [[1, 2, 3]];
    const sum = (options: ForwardOptions): tf.Tensor => tf.sum(model.forward(ids, options));

    test("only the chosen parameters have a gradient", async () => {
      const chosen = ["h.1.mlp.c_proj.weight", "ln_f.bias"];
      const { parameters, activations, keys, values, dispose } = await gradientsOf(model, sum, {
        parameters: chosen,
      });
      expect([...parameters.keys()]).toEqual(chosen);
      expect([activations.size, keys.length, values.length]).toEqual([0, 0, 0]);
      dispose();
    });

    test("what the scalar does not depend on has a gradient of zeros", async () => {
      const early = (options: ForwardOptions): tf.Tensor => {
        const run = model.runWithCache(ids, { ...options, names: [], stopAtLayer: 1 });
        return tf.sum(tf.square(run.residual));
      };
      const { parameters, activations, dispose } = await gradientsOf(model, early, {
        parameters: ["h.0.mlp.c_fc.bias", "h.1.mlp.c_fc.bias", "lm_head.weight"],
        activations: ["hook_embed"],
      });
      const largest = async (x: tf.Tensor): Promise<number> => Math.max(...(await x.data()).map(Math.abs));
      expect(parameters.get("lm_head.weight")!.shape).toEqual(model.weight("lm_head.weight").shape);
      expect(await largest(parameters.get("lm_head.weight")!)).toBe(0);
      expect(await largest(parameters.get("h.1.mlp.c_fc.bias")!)).toBe(0);
      expect(await largest(parameters.get("h.0.mlp.c_fc.bias")!)).toBeGreaterThan(0);
      expect(await largest(activations.get("hook_embed")!)).toBeGreaterThan(0);
      dispose();
    });

    test("a constant has a gradient of zeros", async () => {
      const { value, parameters, dispose } = await gradientsOf(model, () => tf.scalar(3), {
        parameters: ["ln_f.bias"],
      });
      expect(value).toBe(3);
      expect([...(await parameters.get("ln_f.bias")!.data())].every((x) => x === 0)).toBe(true);
      dispose();
    });

    const rejected: [string, () => Promise<unknown>, RegExp][] = [
      [
        "a tensor that is no scalar",
        () => gradientsOf(model, (options) => model.forward(ids, options), { parameters: "all" }),
        /gradient of a tensor \[1,3,23\]: expected a scalar/,
      ],
      [
        "an activation that no pass reached",
        () => gradientsOf(model, () => tf.sum(model.forward(ids)), { activations: "hook_embed" }),
        /gradient by hook_embed: no pass reached it; hand the options/,
      ],
      ["nothing to take it by", () => gradientsOf(model, sum, {}), /gradient of nothing: say parameters/],
      [
        "keys and values without a past",
        () => gradientsOf(model, sum, { keyValues: true }),
        /no past was given/,
      ],
      [
        "an unknown parameter",
        () => gradientsOf(model, sum, { parameters: ["h.1.mlp.c_proj.wieght"] }),
        /unknown parameter: h\.1\.mlp\.c_proj\.wieght \(did you mean h\.1\.mlp\.c_proj\.weight/,
      ],
      [
        "an unknown activation",
        () => gradientsOf(model, sum, { activations: "blocks.0.hook_rezid_mid" }),
        /unknown hook: blocks\.0\.hook_rezid_mid \(did you mean blocks\.0\.hook_resid_mid/,
      ],
    ];
    test.each(rejected)("%s is refused, and the next gradient is right", async (_, act, message) => {
      await expect(act()).rejects.toThrow(message);
      const { parameters, dispose } = await gradientsOf(
        model,
        () => tf.sum(tf.square(model.weight("ln_f.bias"))),
        { parameters: ["ln_f.bias"] },
      );
      const expected = TWO_BLOCKS.weights.get("ln_f.bias")!.map((x) => 2 * x);
      await expectValues(tf.clone(parameters.get("ln_f.bias")!), expected, 1e-6);
      dispose();
    });
  });
});
