import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  gaussian,
  gradientsOf,
  hookPoints,
  KeyValueCache,
  type GPT2,
  type Hooks,
} from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { forward, layOut, type Activation, type Edit, type Pass } from "../referee/index.js";
import { centralDifferences } from "../referee/differences.js";
import {
  CASES,
  expectValues,
  logSoftmaxOf,
  modelOf,
  relativeError,
  tail,
  TWO_BLOCKS,
  valuesOf,
} from "./cases.js";

/** Sequences cut in two: what comes first, of unequal length, and what follows it, of one length. */
const NEXT = [
  [2, 0, 1],
  [3, 3, 5],
];
const FIRST = [[1, 4, 0, 2], [5]];
const PAST = 4;
const NEW = 3;

function cutOf({ values, shape }: Activation, axis = 1): Float64Array {
  return tail(values, shape, axis, PAST);
}

onEachBackend(({ slow, some }) => {
  describe.each(some(CASES))("$name", (own) => {
    const { config, weights } = own;
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    /** Float64 over the whole sequences, pads on the left. */
    const whole = (padding: "masked" | "as-published", edit?: Edit): Pass =>
      forward(
        weights,
        config,
        layOut(
          FIRST.map((first, i) => [...first, ...NEXT[i]!]),
          config,
          padding,
        ),
        edit,
      );

    test.each(some(["masked", "as-published"] as const))(
      "a pass that continues a past is the end of one over everything: padding %s",
      async (padding) => {
        const past = model.keyValues(FIRST, { padding });
        expect([past.batch, past.length]).toEqual([2, PAST]);
        const { logProbs } = whole(padding);
        const logits = await valuesOf(model.forward(NEXT, { past }));
        expect(relativeError(logSoftmaxOf(logits, config.vocabSize), cutOf(logProbs))).toBeLessThan(1e-5);
        past.dispose();
      },
    );

    test("so are all its activations", async () => {
      const past = model.keyValues(FIRST, { padding: "masked" });
      const { activations } = whole("masked");
      const names = hookPoints(config).filter((name) => !name.endsWith("attn_scores"));
      const { logits, cache } = model.runWithCache(NEXT, { past, names });
      for (const [name, activation] of cache) {
        const queries = name.endsWith("hook_pattern") ? 2 : 1;
        await expectValues(tf.clone(activation), cutOf(activations.get(name)!, queries), 1e-5, name);
      }
      logits.dispose();
      cache.dispose();
      past.dispose();
    });

    test("some rows of a past, and the first of its positions, are a past of their own", async () => {
      const past = model.keyValues(FIRST, { padding: "masked" });
      const swapped = past.rows([1, 0, 1], PAST);
      past.dispose();
      const { logProbs } = whole("masked");
      const own = NEW * config.vocabSize;
      const expected = [1, 0, 1].flatMap((row) => [...cutOf(logProbs).subarray(row * own, (row + 1) * own)]);
      const next = [1, 0, 1].map((row) => NEXT[row]!);
      const logits = await valuesOf(model.forward(next, { past: swapped }));
      expect(relativeError(logSoftmaxOf(logits, config.vocabSize), expected)).toBeLessThan(1e-5);
      expect(() => swapped.rows([3])).toThrow(/no row 3, expected 0 to 2/);
      expect(() => swapped.rows([0], PAST + 1)).toThrow(/5 positions of 4/);
      const first = swapped.rows([1], 1);
      const [short] = FIRST;
      const after = await valuesOf(model.forward([short!.slice(1)], { past: first }));
      const alone = await valuesOf(model.forward([short!]));
      expect(relativeError(after, alone.subarray(config.vocabSize))).toBeLessThan(1e-5);
      first.dispose();
      swapped.dispose();
    });

    test("log-probabilities of tokens that continue a past", async () => {
      const past = model.keyValues(FIRST, { padding: "masked" });
      const { logProbs } = whole("masked");
      const rows = cutOf(logProbs);
      const expected = NEXT.flatMap((sequence, row) =>
        sequence.slice(1).map((id, i) => rows[(row * NEW + i) * config.vocabSize + id]!),
      );
      await expectValues(model.tokenLogProbs(NEXT, { past }), expected, 1e-5);
      past.dispose();
    });
  });

  describe("a cache that grows, token by token", () => {
    const own = slow ? CASES[0]! : TWO_BLOCKS;
    const { config, weights } = own;
    const prompts = [[1, 2, 3], [4]];
    const then = [
      [5, 0, 7, 2],
      [6, 6, 1, 3],
    ];
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());
    const scaling = (point: string, factor: number): [Hooks, Edit] => [
      { [point]: (x) => tf.mul(x, factor) },
      (name, { values }) => {
        if (name === point) values.forEach((x, i) => (values[i] = factor * x));
      },
    ];
    const none: Edit = () => undefined;
    const hooked: [string, Hooks, Edit][] = [
      ["no hooks", {}, none],
      ["a hook on z", ...scaling("blocks.0.attn.hook_z", 1.5)],
      ["a hook on k", ...scaling("blocks.0.attn.hook_k", -0.5)],
      ["a hook on v of the last block", ...scaling(`blocks.${config.nLayer - 1}.attn.hook_v`, 2)],
      // Half a pattern is half a z.
      [
        "a hook on the pattern",
        scaling("blocks.0.attn.hook_pattern", 0.5)[0],
        scaling("blocks.0.attn.hook_z", 0.5)[1],
      ],
    ];

    test.each(some(hooked))("%s: each step is a pass over everything so far", async (_, hooks, edit) => {
      let batch = model.layOut(prompts, { padding: "masked" });
      const cache = KeyValueCache.allocate(config, batch.pads, 6);
      for (let step = 0; step < 4; step += 1) {
        const sequences = prompts.map((prompt, row) => [...prompt, ...then[row]!.slice(0, step)]);
        const { logProbs } = forward(weights, config, layOut(sequences, config), edit);
        const logits = model.step(batch, { hooks, cache, growing: true, lastPositionOnly: true });
        const measured = logSoftmaxOf(await valuesOf(logits), config.vocabSize);
        const expected = tail(logProbs.values, logProbs.shape, 1, 2 + step);
        expect(relativeError(measured, expected), `step ${step}`).toBeLessThan(1e-5);
        batch = model.layOut(
          then.map((tokens) => [tokens[step]!]),
          { past: cache },
        );
      }
      expect(cache.length).toBe(6);
      cache.dispose();
    });
  });

  describe("gradients by a past", () => {
    const own = slow ? CASES[0]! : TWO_BLOCKS;
    const { config, weights } = own;
    const batch = layOut(
      FIRST.map((first, i) => [...first, ...NEXT[i]!]),
      config,
    );
    const pass = forward(weights, config, batch);
    const normal = gaussian(2);
    const width = config.vocabSize;
    const cotangent = Float64Array.from({ length: 2 * NEW * width }, () => Math.fround(normal()));
    let model: GPT2;
    let past: KeyValueCache;
    beforeAll(() => {
      model = modelOf(own);
      past = model.keyValues(FIRST, { padding: "masked" });
    });
    afterAll(() => {
      past.dispose();
      model.dispose();
    });

    /** The weighted logits of the new positions in float64, keys and values of the past held at these. */
    function scalarAt(held: Map<string, Float64Array>): number {
      const { logits } = forward(weights, config, batch, (name, { values, shape }) => {
        const fixed = held.get(name);
        if (!fixed) return;
        const inner = shape[2]! * shape[3]!;
        values.forEach((_, i) => {
          const [row, position] = [
            Math.floor(i / inner / (PAST + NEW)),
            Math.floor(i / inner) % (PAST + NEW),
          ];
          if (position < PAST) values[i] = fixed[(row * PAST + position) * inner + (i % inner)]!;
        });
      });
      return cutOf(logits).reduce((sum, logit, i) => sum + logit * cotangent[i]!, 0);
    }
    const heldValues = (): Map<string, Float64Array> =>
      new Map(
        [...pass.activations]
          .filter(([name]) => /hook_[kv]$/.test(name))
          .map(([name, { values, shape }]) => [name, tail(values, shape, 1, 0, PAST)]),
      );
    const pointOf = (part: string, layer: number): string => `blocks.${layer}.attn.hook_${part}`;

    test("they agree with differences in float64", async () => {
      const gradients = await gradientsOf(
        model,
        (options) =>
          tf.sum(
            tf.mul(model.forward(NEXT, options), tf.tensor(Float32Array.from(cotangent), [2, NEW, width])),
          ),
        { past, keyValues: true, parameters: ["ln_f.bias"] },
      );
      expect([gradients.keys.length, gradients.values.length]).toEqual([config.nLayer, config.nLayer]);
      const held = heldValues();
      for (const [part, tensors] of [
        ["k", gradients.keys],
        ["v", gradients.values],
      ] as const) {
        for (const [layer, gradient] of tensors.entries()) {
          expect(gradient.shape).toEqual([2, PAST, config.dModel]);
          const expected = centralDifferences(() => scalarAt(held), held.get(pointOf(part, layer))!);
          await expectValues(tf.clone(gradient), expected, 5e-5, pointOf(part, layer));
        }
      }
      expect(gradients.parameters.size).toBe(1);
      gradients.dispose();
    });

    test("a past with other keys and values gives what they give in float64", async () => {
      const held = heldValues();
      for (const values of held.values())
        values.forEach((x, i) => (values[i] = Math.fround(x + 0.1 * normal())));
      const tensors = (part: string): tf.Tensor3D[] =>
        Array.from({ length: config.nLayer }, (_, layer) =>
          tf.tensor3d(Float32Array.from(held.get(pointOf(part, layer))!), [2, PAST, config.dModel]),
        );
      const [keys, values] = [tensors("k"), tensors("v")];
      const logits = await valuesOf(model.forward(NEXT, { past: past.with(keys, values) }));
      const measured = logits.reduce((sum, logit, i) => sum + logit * cotangent[i]!, 0);
      const expected = scalarAt(held);
      expect(Math.abs(measured - expected)).toBeLessThan(1e-4 * Math.max(1, Math.abs(expected)));
      expect(Math.abs(expected - scalarAt(heldValues()))).toBeGreaterThan(1e-2);
      tf.dispose([...keys, ...values]);
    });

    test("a past stays as it is, however often it is continued", async () => {
      const before = await past.keys[0]!.data();
      const [first, second] = [model.forward(NEXT, { past }), model.forward(NEXT, { past })];
      expect(await second.data()).toEqual(await first.data());
      expect(past.length).toBe(PAST);
      expect(await past.keys[0]!.data()).toEqual(before);
      tf.dispose([first, second]);
    });

    test("what does not fit a past is refused, and nothing is left behind", () => {
      const wrong = tf.zeros<tf.Rank.R3>([2, PAST, config.dModel + 1]);
      const right = tf.zeros<tf.Rank.R3>([2, PAST, config.dModel]);
      const blocks = Array.from({ length: config.nLayer }, () => right);
      const before = tf.memory().numTensors;
      expect(() =>
        past.with(
          blocks.map(() => wrong),
          blocks,
        ),
      ).toThrow(`key-value cache: got a tensor [2,4,${config.dModel + 1}], expected [2,4,${config.dModel}]`);
      expect(() => past.with([...blocks, right], blocks)).toThrow(/keys and \d values, expected \d of each/);
      expect(() => model.forward([[1]], { past })).toThrow("1 sequences after a cache of 2 rows");
      expect(() => model.forward([[1], [1, 2]], { past })).toThrow(
        /1 to 2 tokens after a cache: expected equal/,
      );
      const long = Array<number>(7).fill(1);
      expect(() => model.forward([long, long], { past })).toThrow(/11 tokens, the model's context holds 10/);
      expect(() => model.keyValues([[1], [1, 2]])).toThrow(/say padding/);
      const hooks = { "blocks.0.hook_attn_out": () => tf.zeros([1]) };
      expect(() => model.keyValues([[1]], { hooks })).toThrow(/returned \[1\]/);
      expect(() => model.forward(NEXT, { past, hooks })).toThrow(/returned \[1\]/);
      expect(tf.memory().numTensors).toBe(before);
      tf.dispose([wrong, right]);
    });
  });
});
