import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test, vi } from "vitest";
import { generate, GPT2, hookPoints } from "../../src/model/index.js";
import { comparisonWithGolden } from "../../src/cli/parity/index.js";
import { openBackend } from "../../src/tensors/index.js";
import { NATIVE_PACKAGES, openNative } from "../../src/tensors/native.js";
import { TINY } from "../model/folders.js";

/** What tfjs-node-kernels.mjs reads out of the packages, which are not installed here. */
const { kernels } = JSON.parse(readFileSync(join(import.meta.dirname, "tfjs-node-kernels.json"), "utf8")) as {
  kernels: string[];
};

/** Kernels by name as tfjs-core asks the backend for them: what it composes of others is there as its parts. */
const used = new Set<string>();

beforeAll(async () => {
  // The backend cpu has no fused kernels, so the model is composed of tfjs' operations as it is on tfjs-node.
  await openBackend("cpu");
  const run = vi.spyOn(tf.engine(), "runKernel");
  await comparisonWithGolden(TINY); // forward, gradients, generation, interventions, perplexity, the logit lens, …
  const model = await GPT2.load(TINY);
  const names = hookPoints(model.config);
  const { logits, cache } = model.runWithCache([[1, 2, 3], [4]], { names, padding: "masked" });
  const hooks = Object.fromEntries(names.map((name) => [name, (x: tf.Tensor) => tf.mul(x, 1)]));
  await generate(model, [[1, 2, 3], [4]], { maxNewTokens: 3, hooks });
  rmspropUpdate(model.weight("ln_f.weight"));
  for (const op of DIFFERENTIABLE) tf.tidy(() => tf.grad((x) => tf.sum(op(x)))(tf.ones([2, 3])));
  tf.dispose([logits, ...cache.values()]);
  model.dispose();
  for (const [name] of run.mock.calls) used.add(name);
  run.mockRestore();
});

/** The operations that src/tensors/gradients.ts has gradients for. */
const DIFFERENTIABLE: ((x: tf.Tensor) => tf.Tensor)[] = [
  (x) => tf.add(x, tf.sub(tf.mul(x, tf.div(x, 2)), 1)),
  (x) => tf.squaredDifference(x, 2),
  (x) => tf.addN([x, x]),
  (x) => tf.neg(tf.square(tf.sqrt(tf.rsqrt(x)))),
  (x) => tf.exp(tf.log(tf.tanh(tf.sigmoid(tf.softplus(x))))),
  (x) => tf.cast(x, "float32"),
  (x) => tf.reshape(tf.expandDims(tf.transpose(x), 0), [-1]),
  (x) => tf.concat(tf.split(x, [1, 2], 1), 1),
  (x) => tf.stack([tf.slice(x, [0, 1], [1, 2]), tf.slice(x, [1, 0], [1, 2])]),
  (x) => tf.broadcastTo(x, [4, 2, 3]),
  (x) => tf.add(tf.sum(x, 0), tf.add(tf.mean(x, 0), tf.max(x, 0))),
  (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D, false, true),
  (x) => tf.mul(tf.softmax(x), tf.logSoftmax(x)),
  (x) => tf.gather(x, tf.tensor1d([1, 1, 0], "int32")),
];

/** A step of RMSProp with clipping, as an optimiser takes it. */
function rmspropUpdate(parameter: tf.Tensor): void {
  tf.tidy(() => {
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)))(parameter);
    const clip = tf.minimum(1, tf.div(10, tf.add(tf.sqrt(tf.sum(tf.square(gradient))), 1e-6)));
    const clipped = tf.mul(gradient, clip);
    const average = tf.add(tf.mul(tf.zerosLike(parameter), 0.99), tf.mul(tf.square(clipped), 0.01));
    tf.sub(parameter, tf.mul(1e-6, tf.div(clipped, tf.add(tf.sqrt(average), 1e-8))));
  });
}

test("the model's passes are seen: both directions, every kind of kernel", () => {
  for (const name of [
    "_FusedMatMul",
    "BatchMatMul",
    "Softmax",
    "GatherV2",
    "ScatterNd",
    "ArgMax",
    "Minimum",
  ]) {
    expect(used).toContain(name);
  }
});

test("tfjs-node has every kernel that they run", () => {
  expect([...used].filter((name) => !kernels.includes(name))).toEqual([]);
});

const installed = Object.entries(NATIVE_PACKAGES).filter(([, name]) => {
  try {
    return createRequire(import.meta.url).resolve(name) !== "";
  } catch {
    return false;
  }
}) as ["cuda" | "native", string][];

test.skipIf(installed.length === 0)(
  "so does the package that is installed here (skipped without tfjs-node-gpu and tfjs-node-native)",
  async () => {
    await openNative((installed[0] as [keyof typeof NATIVE_PACKAGES, string])[0]);
    const registered = tf.getKernelsForBackend("tensorflow").map(({ kernelName }) => kernelName);
    expect([...used].filter((name) => !registered.includes(name))).toEqual([]);
  },
);
