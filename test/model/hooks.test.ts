import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hookName, hookPoints, type GPT2, type Hook } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut, type Edit } from "../referee/index.js";
import { expectValues, modelOf, TWO_BLOCKS } from "./cases.js";

const { config, weights, sequences } = TWO_BLOCKS;

function edited(edit: Edit): Float64Array {
  return forward(weights, config, layOut(sequences, config), edit).logits.values;
}

const timesAndPlus: readonly (readonly [string, Hook])[] = [
  ["blocks.0.hook_attn_out", (x) => tf.mul(x, 2)],
  ["blocks.1.attn.hook_v", (x) => tf.neg(x)],
  ["blocks.0.hook_attn_out", (x) => tf.add(x, 1)],
];
const expectedOfPairs = (): Float64Array =>
  edited((name, { values }) => {
    if (name === "blocks.0.hook_attn_out") values.forEach((x, i) => (values[i] = 2 * x + 1));
    if (name === "blocks.1.attn.hook_v") values.forEach((x, i) => (values[i] = -x));
  });

onEachBackend(({ some }) => {
  let model: GPT2;
  beforeAll(() => {
    model = modelOf(TWO_BLOCKS);
  });
  afterAll(() => model.dispose());

  test("pairs: several hooks at one point run one after the other", async () => {
    const logits = model.runWithHooks(sequences, timesAndPlus, { padding: "masked" });
    await expectValues(logits, expectedOfPairs(), 1e-5);
  });

  test("a hook that only looks does not undo the one before it", async () => {
    const seen: string[] = [];
    const looks: Hook = (_, { name }) => void seen.push(name);
    const pairs = [...timesAndPlus, ["blocks.0.hook_attn_out", looks] as const];
    await expectValues(model.runWithHooks(sequences, pairs, { padding: "masked" }), expectedOfPairs(), 1e-5);
    expect(seen).toEqual(["blocks.0.hook_attn_out"]);
  });

  test("an object of hooks is forward's option by another name", async () => {
    const hooks = { "blocks.1.hook_mlp_out": (x: tf.Tensor) => tf.mul(x, 0) };
    const [asOption, asArgument] = [
      model.forward(sequences, { hooks, padding: "masked" }),
      model.runWithHooks(sequences, hooks, { padding: "masked" }),
    ];
    expect(await asArgument.data()).toEqual(await asOption.data());
    tf.dispose([asOption, asArgument]);
  });

  const editable = hookPoints(config).filter((name) => !/scores|pattern/.test(name));
  const perBlock = editable.filter((name) => !name.startsWith("blocks.1"));
  test.each(some(perBlock))("a change at %s is felt as in float64", async (point) => {
    const logits = model.forward(sequences, {
      padding: "masked",
      hooks: { [point]: (x) => tf.mul(x, 1.25) },
    });
    const expected = edited((name, { values }) => {
      if (name === point) values.forEach((x, i) => (values[i] = 1.25 * x));
    });
    await expectValues(logits, expected, 1e-5);
  });

  test("a change of scores and one of the pattern: as if the queries were longer, the values shorter", async () => {
    const run = (point: string, factor: number): tf.Tensor3D =>
      model.forward(sequences, { padding: "masked", hooks: { [point]: (x) => tf.mul(x, factor) } });
    const scaled = (at: string, factor: number): Float64Array =>
      edited((name, { values }) => {
        if (name === at) values.forEach((x, i) => (values[i] = factor * x));
      });
    await expectValues(run("blocks.1.attn.hook_attn_scores", 1.5), scaled("blocks.1.attn.hook_q", 1.5), 1e-5);
    await expectValues(run("blocks.1.attn.hook_pattern", 0.5), scaled("blocks.1.attn.hook_z", 0.5), 1e-5);
  });

  test("a wrong shape is refused at the hook that made it, and the model still computes", async () => {
    const wrong = (point: string) => () =>
      model.forward(sequences, { padding: "masked", hooks: { [point]: () => tf.zeros([2]) } });
    for (const point of [
      "hook_embed",
      "blocks.1.attn.hook_k",
      "blocks.0.ln1.hook_scale",
      "ln_final.hook_normalized",
    ]) {
      expect(wrong(point)).toThrow(`hook ${point} returned [2], expected [`);
    }
    await expectValues(
      model.forward(sequences, { padding: "masked" }),
      edited(() => undefined),
      1e-5,
    );
  });
});

describe("short names", () => {
  test.each([
    ["resid_mid", 19, "blocks.19.hook_resid_mid"],
    ["resid_pre", 0, "blocks.0.hook_resid_pre"],
    ["post", 3, "blocks.3.mlp.hook_post"],
    ["pre", 3, "blocks.3.mlp.hook_pre"],
    ["z", 1, "blocks.1.attn.hook_z"],
    ["k", 1, "blocks.1.attn.hook_k"],
    ["pattern", 2, "blocks.2.attn.hook_pattern"],
    ["attn_scores", 2, "blocks.2.attn.hook_attn_scores"],
    ["mlp_out", 2, "blocks.2.hook_mlp_out"],
    ["ln2.hook_scale", 4, "blocks.4.ln2.hook_scale"],
    ["embed", undefined, "hook_embed"],
    ["hook_pos_embed", undefined, "hook_pos_embed"],
    ["ln_final.hook_scale", undefined, "ln_final.hook_scale"],
  ])("%s of block %s is %s", (short, layer, full) => {
    expect(hookName(short, layer)).toBe(full);
  });

  test("every point of a block has one that leads back to it", () => {
    for (const full of hookPoints({ nLayer: 1 }).filter((name) => name.startsWith("blocks"))) {
      expect(hookName(full.replace("blocks.0.", ""), 0)).toBe(full);
    }
  });

  test("one that both layer norms of a block have is refused, with the names that tell them apart", () => {
    expect(() => hookName("scale", 3)).toThrow(
      /ambiguous activation: scale \(expected ln1\.hook_scale or ln2/,
    );
  });

  test("an unknown one is refused with the nearest", () => {
    expect(() => hookName("rezid_mid", 3)).toThrow(/unknown activation: rezid_mid \(did you mean resid_mid/);
  });
});
