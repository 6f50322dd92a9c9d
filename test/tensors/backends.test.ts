import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { BACKENDS, describeBackend, openBackend } from "../../src/tensors/index.js";

test("auto opens a backend and says what it passed over and why", async () => {
  const description = await openBackend("auto");
  expect(BACKENDS).toContain(description.backend);
  const position = BACKENDS.indexOf(description.backend);
  expect(description.passedOver.map(({ backend }) => backend)).toEqual(BACKENDS.slice(0, position));
  for (const { reason } of description.passedOver) expect(reason.length).toBeGreaterThan(10);
  const [first, second] = describeBackend(description).split("\n");
  expect(first).toContain(`backend ${description.backend}: ${description.device}`);
  if (position > 0) expect(second).toMatch(/^passed over: /);
});

test("a description survives JSON", async () => {
  const description = await openBackend("wasm");
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
});

test("a backend by a wrong name lists the right ones", async () => {
  await expect(openBackend("gpu")).rejects.toThrow(
    "unknown backend: gpu (expected one of auto, cuda, native, webgpu, wasm, cpu)",
  );
});

describe("a backend that cannot open says why and what to install", () => {
  test.each([
    ["cuda", /^cuda: .*npm run setup:cuda/],
    ["native", /^native: .*npm install/],
  ])("%s", async (name, message) => {
    const opened = await openBackend(name).catch((error: unknown) => error);
    // On a host that has the package, opening it is right.
    if (opened instanceof Error) {
      expect(opened.message).toMatch(message);
      expect(opened.message).not.toContain("\n");
    } else expect(opened).toMatchObject({ backend: name });
  });
});

test("backends can be changed within a process", async () => {
  for (const name of ["wasm", "cpu", "wasm"] as const) {
    await openBackend(name);
    expect(tf.getBackend()).toBe(name);
    expect(Array.from(tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).dataSync())).toEqual([3, 3, 3, 3]);
  }
});
