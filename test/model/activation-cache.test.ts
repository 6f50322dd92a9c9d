import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hookPoints, type GPT2, type HookNames, type Positions } from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut } from "../referee/index.js";
import { expectValues, modelOf, tail, TWO_BLOCKS } from "./cases.js";

const { config, weights, sequences } = TWO_BLOCKS;
const LENGTH = 5;
const { activations, logits: expectedLogits } = forward(weights, config, layOut(sequences, config));

onEachBackend(({ some }) => {
  let model: GPT2;
  beforeAll(() => {
    model = modelOf(TWO_BLOCKS);
  });
  afterAll(() => model.dispose());

  const posts = ["blocks.0.mlp.hook_post", "blocks.1.mlp.hook_post"];
  test.each<[string, HookNames, string[]]>([
    ["one name", "blocks.1.hook_resid_mid", ["blocks.1.hook_resid_mid"]],
    ["several names, in the order of the pass", [...posts].reverse(), posts],
    ["a predicate", (name) => name.endsWith("mlp.hook_post"), posts],
    ["no name at all", [], []],
  ])("%s: what is kept is what was asked for, and no other tensor", (_, names, kept) => {
    const before = tf.memory().numTensors;
    const { logits, cache } = model.runWithCache(sequences, { names, padding: "masked" });
    expect([...cache.keys()]).toEqual(kept);
    expect(tf.memory().numTensors - before).toBe(kept.length + 1);
    logits.dispose();
    cache.dispose();
    expect([cache.size, tf.memory().numTensors]).toEqual([0, before]);
  });

  const positions: [string, Positions, number[]][] = [
    ["the last", -1, [4]],
    ["one", 2, [2]],
    ["a list, as it is ordered", [3, -5, -1], [3, 0, 4]],
    ["a range", { from: 1, to: 3 }, [1, 2]],
    ["a range from the end", { from: -2 }, [3, 4]],
    ["a range to before the end", { to: -3 }, [0, 1]],
  ];
  const seen = ["hook_embed", "blocks.0.attn.hook_k", "blocks.1.attn.hook_pattern", "blocks.1.mlp.hook_post"];
  test.each(some(positions))(
    "positions, %s: the slice of the whole activation",
    async (_, wanted, places) => {
      const names = [...seen, "ln_final.hook_scale"];
      const options = { names, positions: wanted, padding: "masked" as const };
      const { logits, cache } = model.runWithCache(sequences, options);
      for (const name of names) {
        const { shape, values } = activations.get(name)!;
        const axis = name.endsWith("hook_pattern") ? 2 : 1; // queries
        const kept = cache.at(name);
        expect(kept.shape, name).toEqual(shape.map((size, i) => (i === axis ? places.length : size)));
        const parts = places.map((place) => [...tail(values, shape, axis, place, place + 1)]);
        // One position of each row after the other, as they lie in a row.
        const rows = shape.slice(0, axis).reduce((product, size) => product * size, 1);
        const width = parts[0]!.length / rows;
        const expected = Array.from({ length: rows }, (__, row) =>
          parts.flatMap((part) => part.slice(row * width, (row + 1) * width)),
        ).flat();
        await expectValues(tf.clone(kept), expected, 1e-5, name);
      }
      await expectValues(logits, expectedLogits.values, 1e-5);
      cache.dispose();
    },
  );

  describe("stopAtLayer", () => {
    const rows: [number, string, number][] = [
      [1, "blocks.1.hook_resid_pre", 1],
      [-1, "blocks.1.hook_resid_pre", 1],
      [0, "blocks.0.hook_resid_pre", 0],
      [-2, "blocks.0.hook_resid_pre", 0],
      [2, "blocks.1.hook_resid_post", 2],
    ];
    test.each(rows)("%i gives %s", async (stopAtLayer, name, blocks) => {
      const options = { names: () => true, stopAtLayer, padding: "masked" as const };
      const { residual, cache } = model.runWithCache(sequences, options);
      expect(residual.shape).toEqual([3, LENGTH, config.dModel]);
      await expectValues(residual, activations.get(name)!.values, 1e-5);
      const reached = (point: string): boolean =>
        /^hook_/.test(point) || Number(/^blocks\.(\d+)/.exec(point)?.[1] ?? Number.NaN) < blocks;
      expect([...cache.keys()].sort()).toEqual(hookPoints(config).filter(reached).sort());
      cache.dispose();
    });

    test("names of blocks that it does not reach are refused", () => {
      const run = (names: string, stopAtLayer: number) => () =>
        model.runWithCache([[1]], { names, stopAtLayer });
      expect(run("blocks.1.hook_resid_pre", 1)).toThrow(
        "blocks.1.hook_resid_pre: a pass that stops before block 1 does not reach it",
      );
      expect(run("ln_final.hook_scale", 2)).toThrow(/stops before block 2 does not reach it/);
      expect(run("hook_embed", 3)).toThrow("stopAtLayer: got 3, expected -2 to 2");
      expect(run("hook_embed", 0.5)).toThrow("stopAtLayer: got 0.5, expected -2 to 2");
    });
  });

  test("what hooks make of an activation is what is kept", async () => {
    const name = "blocks.0.hook_mlp_out";
    const hooks = { [name]: (x: tf.Tensor) => tf.mul(x, 3) };
    const { logits, cache } = model.runWithCache(sequences, { names: name, hooks, padding: "masked" });
    const expected = activations.get(name)!.values.map((x) => 3 * x);
    await expectValues(tf.clone(cache.at(name)), expected, 1e-5);
    tf.dispose(logits);
    cache.dispose();
  });

  test.each<[string, HookNames, Positions | undefined, RegExp]>([
    ["a misspelt name", "blocks.1.mlp.hook_pots", undefined, /did you mean blocks\.1\.mlp\.hook_post/],
    ["a block too many", ["blocks.2.hook_resid_mid"], undefined, /the model has 2 blocks: 0 to 1/],
    ["a position after the end", "hook_embed", 5, /position 5: hook_embed has 5, expected -5 to 4/],
    ["a position before the start", "hook_embed", [0, -6], /position -6: hook_embed has 5/],
    ["a fractional position", "hook_embed", 1.5, /position 1\.5: hook_embed has 5/],
    ["no position", "hook_embed", [], /positions: got none, expected at least one/],
    ["an empty range", "hook_embed", { from: 3, to: 2 }, /positions 3 to 2: hook_embed has 5/],
    ["a fractional range", "hook_embed", { from: 0.5 }, /position 0\.5/],
  ])("%s is refused, and nothing is left behind", (_, names, wanted, message) => {
    const before = tf.memory().numTensors;
    const run = () => model.runWithCache(sequences, { names, positions: wanted, padding: "masked" });
    expect(run).toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("an activation that was not kept is refused, with those that were", () => {
    const { logits, cache } = model.runWithCache([[1]], { names: "hook_embed" });
    expect(() => cache.at("hook_pos_embed")).toThrow(
      "activation cache: hook_pos_embed was not kept (it holds hook_embed)",
    );
    logits.dispose();
    cache.dispose();
    expect(() => cache.at("hook_embed")).toThrow(/it holds nothing/);
  });
});
