import { afterAll, beforeAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

let kernel: KernelSession;
beforeAll(async () => {
  kernel = await KernelSession.start();
  const { failure } = await kernel.execute(`import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
await tf.setBackend("cpu");
const state = () => {
  const { gradientDepth, kernelDepth, scopeStack, activeTape } = (tf.engine() as any).state;
  return [gradientDepth, kernelDepth, scopeStack.length, !activeTape].join();
};
const kept = tf.tensor1d([1, 2, 3]);`);
  expect(failure).toBe("");
});
afterAll(endSessions);

/** Depths, scopes, whether nothing records, and the tensors alive. */
const now = async (): Promise<string> => {
  const { failure, result } = await kernel.execute("[state(), tf.memory().numTensors].join()");
  return failure || String(result);
};

it("a cell that fails in a gradient or a tidy leaves no tape, no scope and no tensor behind", async () => {
  const start = await now();
  expect(start).toMatch(/^0,0,\d+,true,1$/);
  for (const code of [
    'tf.tidy(() => { tf.ones([4]); throw new Error("in tidy"); });',
    'tf.grad((x) => { const y = tf.square(x); if (y.size > 0) throw new Error("in grad"); return tf.sum(y); })(kept);',
    'tf.engine().startScope("by hand"); tf.ones([2]); throw new Error("in a scope");',
  ]) {
    expect((await kernel.execute(code)).failure).toMatch(/^Error: in /);
    expect(await now()).toBe(start);
  }
});

it.each([
  [
    "a tidy that computes without a pause",
    "tf.tidy(() => { while (true) tf.square(tf.ones([4])).dispose(); });",
  ],
  ["a loop that makes tensors outside of any scope", "while (true) tf.ones([4]).dispose();"],
  [
    "a loop that catches what ends it once",
    "try { while (true) tf.square(kept).dispose(); } catch { while (true); }",
  ],
  ["a scope with an await", 'tf.engine().startScope("open"); tf.ones([8]); await new Promise(() => {});'],
])("a cell that is interrupted in %s leaves no tape, no scope and no tensor behind", async (_, code) => {
  const start = await now();
  const { id, done } = await kernel.begin(`console.log("cell is on");\n${code}`);
  await kernel.saw(id, "cell is on");
  await kernel.interrupt();
  expect((await done).failure).toMatch(/^InterruptedError/);
  expect(await now()).toBe(start);
  const works = await kernel.execute("tf.tidy(() => tf.square(kept).dataSync().join())");
  expect([works.failure, works.result]).toEqual(["", "1,4,9"]);
});

it("a cell that is interrupted while it computes clears up by itself, with tensors too", async () => {
  const { id, done } = await kernel.begin(`console.log("cell is on");
    try { while (true) tf.square(kept).dispose(); } finally { console.log("sum", tf.tidy(() => tf.sum(kept).dataSync()[0])); }`);
  await kernel.saw(id, "cell is on");
  await kernel.interrupt();
  const reply = await done;
  expect([reply.failure.split(":")[0], reply.text()]).toEqual(["InterruptedError", "cell is on\nsum 6\n"]);
});

it("kernel.memory() tells what each cell has left undisposed", async () => {
  const left = await kernel.execute("const leak = tf.zeros([1000]); const leak2 = tf.zeros([10]);");
  const label = `In [${String(left.content["execution_count"])}]`;
  expect((await kernel.execute("kernel.memory()")).result).toContain(label);
  const { result } = await kernel.execute(
    `JSON.stringify(kernel.memory().cells.find(({ cell }) => cell === ${JSON.stringify(label)}))`,
  );
  expect(JSON.parse(result ?? "null")).toEqual({ cell: label, tensors: 2, bytes: 4040 });
  const freed = await kernel.execute("leak.dispose(); leak2.dispose(); kernel.memory().tensors");
  expect(freed.result).toBe("1");
});
