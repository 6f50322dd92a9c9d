import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { text } from "./show.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** A backend that has no kernels. */
class OtherBackend extends tf.KernelBackend {
  override dispose(): void {}
}

/** The text of a tensor, which is disposed of afterwards; showing it must leave no other. */
async function textOf(make: () => tf.Tensor): Promise<string> {
  const before = tf.memory().numTensors;
  const tensor = make();
  const shown = await text(tensor);
  expect(tensor.isDisposed).toBe(false);
  tensor.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return shown;
}

describe("tensors", () => {
  it("are shown with dtype, shape and values, rounded and aligned", async () => {
    expect(await textOf(() => tf.tensor2d([1, -2.123456, 3, 4, 0.5, 600], [2, 3]))).toBe(
      ["Tensor float32 [2, 3]", "[[  1.0000,  -2.1235,   3.0000],", " [  4.0000,   0.5000, 600.0000]]"].join(
        "\n",
      ),
    );
    expect(await textOf(() => tf.tensor1d([0.1, 0.25]))).toBe("Tensor float32 [2]\n[0.10, 0.25]");
    expect(await textOf(() => tf.scalar(3, "int32"))).toBe("Tensor int32 []\n3");
  });

  it.each<[string, () => tf.Tensor, string]>([
    ["booleans", () => tf.tensor1d([true, false], "bool"), "Tensor bool [2]\n[ true, false]"],
    ["strings", () => tf.tensor1d(["a", "it's"]), `Tensor string [2]\n[   'a', "it's"]`],
    ["complex numbers", () => tf.complex([1, 2], [0.5, -3]), "Tensor complex64 [2]\n[1.0+0.5i, 2.0-3.0i]"],
    ["nothing", () => tf.zeros([0, 3]), "Tensor float32 [0, 3], empty"],
    [
      "NaN and infinity",
      () => tf.tensor1d([NaN, -Infinity, 1.5]),
      "Tensor float32 [3]\n[      NaN, -Infinity,       1.5]",
    ],
    ["tiny numbers", () => tf.tensor1d([1e-7, 1]), "Tensor float32 [2]\n[1.000e-7, 1.000e+0]"],
  ])("may be of %s", async (_, make, expected) => {
    expect(await textOf(make)).toBe(expected);
  });

  it("have matrices set apart", async () => {
    expect(await textOf(() => tf.tensor(Array.from(Array(8).keys()), [2, 2, 2], "int32"))).toBe(
      "Tensor int32 [2, 2, 2]\n[[[0, 1],\n  [2, 3]],\n\n [[4, 5],\n  [6, 7]]]",
    );
  });

  it("show the beginning when large, for any rank that can be sliced", async () => {
    const counting = Int32Array.from(Array(768 * 3072).keys());
    const shown = await textOf(() => tf.tensor2d(counting, [768, 3072]));
    const lines = shown.split("\n");
    expect(lines[0]).toBe("Tensor int32 [768, 3072], 9.44 MB");
    expect(lines[1]).toBe("[[    0,     1,     2,     3,     4,     5,     6,     7, …],");
    expect(lines[2]).toBe(" [ 3072,  3073,  3074,  3075,  3076,  3077,  3078,  3079, …],");
    expect(lines.at(-1)).toBe(" …]");
    for (const rank of [1, 2, 3, 4, 5, 6]) {
      const extents = Array.from({ length: rank }, () => Math.ceil(1000 ** (1 / rank)) + 1);
      expect(await textOf(() => tf.ones(extents))).toMatch(/^Tensor float32 \[[^]*1\]*,\s*…\]/);
    }
  });

  it("are read only as far as shown", async () => {
    const large = tf.zeros([1000, 1000]);
    large.data = () => Promise.reject(new Error("read whole"));
    expect(await text(large)).toMatch(/^Tensor float32 \[1000, 1000\], 4 MB\n\[\[0, 0/);
    large.dispose();
  });

  it("are waited for where the device cannot be read at once", async () => {
    const tensor = tf.tensor1d([1, 2]);
    tensor.dataSync = () => {
      throw new Error("not on this backend");
    };
    expect(await text(tensor)).toBe("Tensor float32 [2]\n[1, 2]");
    tensor.dispose();
  });

  it("say when they are disposed of", async () => {
    const tensor = tf.zeros([2, 3]);
    tensor.dispose();
    expect(await text(tensor)).toBe("Tensor float32 [2, 3], disposed");
  });

  it("say when they cannot be read, and leave no tensor then", async () => {
    const before = tf.memory().numTensors;
    const tensor = tf.zeros([2]);
    tensor.data = () => Promise.reject(new Error("device lost"));
    expect(await text(tensor)).toMatch(/\n\(could not be shown as a tensor: Error: device lost\)$/);
    tensor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it("that live on another backend are not moved to the present one", async () => {
    const small = tf.zeros([30, 30]);
    const large = tf.zeros([1000, 1000]);
    tf.registerBackend("other", () => new OtherBackend());
    await tf.setBackend("other");
    expect(await text(small)).toMatch(/^Tensor float32 \[30, 30\]\n\[\[0, 0/);
    expect(await text(large)).toContain("on another backend than the present one: values not read");
    await tf.setBackend("cpu");
    tf.removeBackend("other");
    small.dispose();
    large.dispose();
  });
});

describe("tensors inside other objects", () => {
  it("are a few words, and their class is left as it was", async () => {
    const loss = tf.scalar(1);
    const gone = tf.zeros([4, 2], "int32");
    const weight = tf.variable(tf.zeros([3]), true, "w");
    gone.dispose();
    expect(await text({ loss, grads: [gone], weight })).toBe(
      [
        "{",
        "  loss: Tensor float32 [],",
        "  grads: [ Tensor int32 [4, 2], disposed ],",
        '  weight: Variable "w" float32 [3], trainable',
        "}",
      ].join("\n"),
    );
    expect(Reflect.has(tf.Tensor.prototype, Symbol.for("nodejs.util.inspect.custom"))).toBe(false);
    expect(await text(tf.Tensor.prototype)).toMatch(/[{[]/);
    tf.dispose([loss, weight]);
  });
});

describe("variables and buffers", () => {
  it("variables have a name and say whether they are trained", async () => {
    const frozen = tf.variable(tf.tensor1d([1, 2]), false, "probe");
    expect(await text(frozen)).toBe('Variable "probe" float32 [2], not trainable\n[1, 2]');
    frozen.dispose();
    const trained = tf.variable(tf.scalar(0.5), true, "scale");
    expect(await text(trained)).toBe('Variable "scale" float32 [], trainable\n0.5');
    trained.dispose();
  });

  it("buffers show their values", async () => {
    const buffer = tf.buffer([2, 2], "float32");
    buffer.set(1.25, 1, 0);
    expect(await text(buffer)).toBe("TensorBuffer float32 [2, 2]\n[[0.00, 0.00],\n [1.25, 0.00]]");
    const large = tf.buffer([500, 500], "int32");
    large.set(9, 1, 1);
    expect((await text(large)).split("\n")[2]).toBe(" [0, 9, 0, 0, 0, 0, 0, 0, …],");
  });
});
