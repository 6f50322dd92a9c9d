import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as publicModel from "../../src/model/index.js";
import {
  accumulatedResidual,
  directLogitAttribution,
  generate,
  gradientsOf,
  GPT2,
  KeyValueCache,
  logitLens,
  lossGradients,
  nextTokenLoss,
  residualRows,
  type ForwardOptions,
} from "../../src/model/index.js";
import { onEachBackend } from "../backends.js";
import { expectNoneLeft } from "../none-left.js";
import { CASES, modelOf, TWO_BLOCKS } from "./cases.js";
import { newFolder, TINY } from "./folders.js";

/** What is public and makes no tensor. */
const WITHOUT_TENSORS = [
  "gaussian",
  "mulberry32",
  "readConfig",
  "hookName",
  "hookPoints",
  "PROTOCOLS",
  "withProtocol",
  "residualRows",
  "Tokenizer",
];
const GETTERS = ["constructor", "parameterNames", "weight", "unembedding", "unembeddingWithBias", "layOut"];

interface Setting {
  model: GPT2;
  ids: number[][];
  uneven: number[][];
}

/** Uses of every public function; each disposes of what it is given and of nothing else. */
const USES: Record<string, (setting: Setting) => unknown> = {
  forward: ({ model, uneven }) => model.forward(uneven, { padding: "masked" }).dispose(),
  "forward, every hook": ({ model, uneven }) => {
    const names = publicModel.hookPoints(model.config);
    const hooks = Object.fromEntries(names.map((name) => [name, (x: tf.Tensor) => tf.mul(x, 1)]));
    model.forward(uneven, { padding: "masked", hooks }).dispose();
  },
  runWithHooks: ({ model, ids }) =>
    model.runWithHooks(ids, [["blocks.0.attn.hook_z", (x) => tf.mul(x, 2)]]).dispose(),
  "ActivationCache, runWithCache": ({ model, ids }) => {
    const { logits, cache } = model.runWithCache(ids, { names: () => true, positions: [0, -1] });
    logits.dispose();
    cache.dispose();
  },
  "runWithCache, stopped": ({ model, ids }) => {
    const { residual, cache } = model.runWithCache(ids, { names: () => true, stopAtLayer: 1 });
    residual.dispose();
    cache.dispose();
  },
  "KeyValueCache, keyValues": ({ model, ids, uneven }) => {
    const past = model.keyValues(uneven, { padding: "masked" });
    const next = ids.map(([first]) => [first!]);
    const used = past.batch === next.length ? next : uneven.map(() => [1]);
    model.forward(used, { past }).dispose();
    past.rows([0, 0], 1).dispose();
    model.runWithHooks(used, { "blocks.0.attn.hook_k": (x) => tf.mul(x, 2) }, { past }).dispose();
    past.dispose();
  },
  activationRows: ({ model, uneven }) => {
    const names = "blocks.0.hook_resid_mid";
    return publicModel.activationRows(model, uneven, { names, positions: -1, batchSize: 1 }, (cache) =>
      tf.squeeze(cache.at(names), [1]),
    );
  },
  unembeddingInput: ({ model, uneven }) => {
    const batch = model.layOut(uneven, { padding: "masked" });
    model.unembeddingInput(batch, Int32Array.of(2, 0, 2)).dispose();
    const hidden = new Uint8Array(batch.ids.length).fill(1, 0, 2);
    model.unembeddingInput({ ...batch, hidden }, Int32Array.of(1)).dispose();
  },
  step: ({ model, uneven }) => {
    const batch = model.layOut(uneven, { padding: "masked" });
    const cache = KeyValueCache.allocate(model.config, batch.pads, batch.length + 1);
    model.step(batch, { cache, growing: true, lastPositionOnly: true }).dispose();
    const next = model.layOut(
      uneven.map(() => [1]),
      { past: cache },
    );
    model.step(next, { cache, growing: true }).dispose();
    cache.dispose();
  },
  residual: ({ model, ids }) => model.residual(model.layOut(ids), { stopAtLayer: 1 }).dispose(),
  logitsOf: ({ model, ids }) => {
    const residual = model.residual(model.layOut(ids));
    model.logitsOf(residual).dispose();
    residual.dispose();
  },
  finalNorm: ({ model, ids }) => {
    const residual = model.residual(model.layOut(ids));
    model.finalNorm(residual).dispose();
    residual.dispose();
  },
  unembed: ({ model }) => {
    const rows = tf.ones<tf.Rank.R2>([2, model.config.dModel]);
    model.unembed(rows).dispose();
    rows.dispose();
  },
  tokenLogProbs: ({ model, uneven }) => model.tokenLogProbs(uneven, { padding: "masked" }).dispose(),
  nextTokenLoss: ({ model, ids }) => {
    const logits = model.forward(ids);
    nextTokenLoss(logits, ids).dispose();
    logits.dispose();
  },
  lossGradients: async ({ model, ids }) => {
    const { gradients } = await lossGradients(model, ids);
    tf.dispose([...gradients.values()]);
  },
  gradientsOf: async ({ model, ids }) => {
    const past = model.keyValues(ids);
    const scalar = (options: ForwardOptions): tf.Tensor => tf.sum(model.forward(ids, options));
    const options = { parameters: "all", activations: () => true, keyValues: true, past } as const;
    (await gradientsOf(model, scalar, options)).dispose();
    past.dispose();
  },
  "generate, greedy": ({ model, uneven }) => generate(model, uneven, { maxNewTokens: 2 }),
  "generate, sampled and hooked": ({ model, uneven }) =>
    generate(model, uneven, {
      maxNewTokens: 2,
      sample: { seed: 1, topK: 3 },
      hooks: { "blocks.0.attn.hook_pattern": (x) => tf.mul(x, 1) },
      batchSize: 2,
    }),
  logitLens: ({ model, ids }) => logitLens(model, ids, 1),
  accumulatedResidual: ({ model, ids }) => {
    const names = residualRows(model.config).map(({ name }) => name);
    const { logits, cache } = model.runWithCache(ids, { names });
    for (const normalisation of [undefined, "as-published", "own-layer-norm"] as const) {
      accumulatedResidual(model, cache, { normalisation }).stack.dispose();
    }
    logits.dispose();
    cache.dispose();
  },
  directLogitAttribution: async ({ model, ids }) => {
    await directLogitAttribution(model, ids, 1);
    await directLogitAttribution(model, ids, { of: 1, minus: 2 }, { parts: "heads" });
  },
  withWeights: ({ model }) => {
    const replacement = tf.zerosLike(model.weight("ln_f.bias"));
    model.withWeights(new Map([["ln_f.bias", replacement]])).dispose();
    replacement.dispose();
  },
  setWeight: ({ model }) => {
    const before = model.weight("ln_f.bias");
    model.setWeight("ln_f.bias", tf.mul(before, 1));
    before.dispose();
  },
  processed: ({ model }) => {
    for (const processing of ["none", "folded"] as const) model.processed(processing).dispose();
  },
  "GPT2: load, save, random, dispose": async () => {
    const model = await GPT2.load(TINY, { processing: "folded" });
    await model.save(newFolder());
    model.dispose();
    GPT2.random(TWO_BLOCKS.config).dispose();
  },
};

/** Uses that fail, and what they say. */
const FAILURES: Record<string, [(setting: Setting) => unknown, RegExp]> = {
  "forward: a hook that throws, deep in attention": [
    ({ model, ids }) =>
      model.forward(ids, {
        hooks: {
          "blocks.0.attn.hook_pattern": () => {
            throw new Error("mine");
          },
        },
      }),
    /^mine$/,
  ],
  "runWithCache: a hook of wrong shape after some were kept": [
    ({ model, ids }) =>
      model.runWithCache(ids, { names: () => true, hooks: { "blocks.0.hook_mlp_out": () => tf.zeros([1]) } }),
    /returned \[1\]/,
  ],
  "keyValues: a hook of wrong shape": [
    ({ model, ids }) => model.keyValues(ids, { hooks: { "blocks.0.hook_mlp_out": () => tf.zeros([1]) } }),
    /returned \[1\]/,
  ],
  "generate: a hook of wrong shape at the second token": [
    ({ model }) => {
      let calls = 0;
      const hooks = { hook_embed: () => (++calls > 1 ? tf.zeros([1]) : undefined) };
      return generate(model, [[1, 2]], { maxNewTokens: 3, stopAtEos: false, hooks });
    },
    /returned \[1\]/,
  ],
  "gradientsOf: no scalar": [
    ({ model, ids }) => gradientsOf(model, (options) => model.forward(ids, options), { parameters: "all" }),
    /expected a scalar/,
  ],
  "gradientsOf: a hook that throws": [
    ({ model, ids }) =>
      gradientsOf(model, (options) => tf.sum(model.forward(ids, options)), {
        parameters: "all",
        activations: () => true,
        hooks: { "blocks.0.hook_mlp_out": () => tf.zeros([1]) },
      }),
    /returned \[1\]/,
  ],
  "tokenLogProbs: one token": [({ model }) => model.tokenLogProbs([[1]]), /got 1 token/],
  "withWeights: an unknown name": [
    ({ model }) => model.withWeights(new Map([["ln_g.bias", model.weight("ln_f.bias")]])),
    /unknown parameter: ln_g\.bias \(did you mean ln_f\.bias/,
  ],
  "withWeights: a wrong shape": [
    ({ model }) => model.withWeights(new Map([["wpe.weight", model.weight("ln_f.bias")]])),
    /parameter wpe\.weight is \[10,\d+\], the replacement \[\d+\]/,
  ],
  "setWeight: a wrong shape": [
    ({ model }) => model.setWeight("wpe.weight", model.weight("ln_f.bias")),
    /parameter wpe\.weight is/,
  ],
  "fromValues: a missing parameter": [
    ({ model }) => GPT2.fromValues(model.config, new Map()),
    /parameter wte\.weight is missing/,
  ],
  "load: another folder": [() => GPT2.load(newFolder()), /config\.json is missing/],
  "logitLens: no such token": [({ model, ids }) => logitLens(model, ids, -1), /token -1/],
  "directLogitAttribution: no such token": [
    ({ model, ids }) => directLogitAttribution(model, ids, 1.5),
    /token 1\.5/,
  ],
  "nextTokenLoss: other sequences": [
    async ({ model, ids }) => {
      const logits = model.forward(ids);
      try {
        nextTokenLoss(logits, [[1]]);
      } finally {
        logits.dispose();
      }
    },
    /next-token loss: got logits/,
  ],
};

test("every public function of the room is used below", () => {
  const used = Object.keys(USES).join(" ");
  const functions = Object.keys(publicModel).filter((name) => !WITHOUT_TENSORS.includes(name));
  const methods = Object.getOwnPropertyNames(GPT2.prototype).filter(
    (name) => !GETTERS.includes(name) && name !== "input",
  );
  for (const name of [...functions, ...methods]) expect(used).toMatch(new RegExp(`\\b${name}\\b`));
});

onEachBackend(({ slow }) => {
  describe("no tensor is left behind", () => {
    const own = slow ? CASES[0]! : TWO_BLOCKS;
    const { even: ids, sequences: uneven } = own;
    let model: GPT2;
    beforeAll(() => {
      model = modelOf(own);
    });
    afterAll(() => model.dispose());

    test.each(Object.keys(USES))("%s", async (name) => {
      await expectNoneLeft(() => USES[name]!({ model, ids, uneven }));
    });

    test.each(Object.keys(FAILURES))("%s", async (name) => {
      const [act, message] = FAILURES[name]!;
      await expectNoneLeft(async () => {
        await expect((async () => act({ model, ids, uneven }))()).rejects.toThrow(message);
      });
    });
  });
});
