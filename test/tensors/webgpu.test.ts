import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { projectRoot } from "../../src/data/index.js";
import { openBackend } from "../../src/tensors/index.js";
import type { DeviceBackend } from "../../src/tensors/webgpu/device.js";
import { webgpuLimits } from "../../src/tensors/webgpu/index.js";
import { webgpuMissing } from "./webgpu-here.js";

const missing = await webgpuMissing();
const backend = (): DeviceBackend => tf.backend() as unknown as DeviceBackend;

/** Runs a script of its own in a process of its own, with `tf`, `openBackend` and `backend` at hand. */
function runScript(body: string, env: Record<string, string> = {}): ReturnType<typeof spawnSync> {
  const script = `
    const tf = require("@tensorflow/tfjs-core");
    const { openBackend, describeBackend } = require(${JSON.stringify(join(projectRoot(), "src/tensors/dist/index.js"))});
    (async () => { ${body} })().catch((error) => { console.log(error.name + ": " + error.message); process.exitCode = 1; });`;
  return spawnSync(process.execPath, ["-e", script], {
    cwd: projectRoot(),
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
}

describe.skipIf(missing !== null)(`the webgpu backend (${missing ?? "here"})`, () => {
  test("says what it has opened and what limits it", async () => {
    const description = await openBackend("webgpu");
    expect(description).toMatchObject({ backend: "webgpu", threads: 1, passedOver: [] });
    const limits = webgpuLimits();
    expect(limits.device).toBe(description.device);
    expect(limits.maxTensorBytes).toBeGreaterThanOrEqual(2 ** 28);
    expect(limits.maxTensorBytes).toBeLessThan(2 ** 32);
  });

  test("a script that computes on it ends by itself", () => {
    const { status, stdout, stderr } = runScript(`
      await openBackend("webgpu");
      console.log(await tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).data());`);
    expect(stdout).toContain("3, 3, 3, 3");
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("a script that leaves work unfinished ends by itself as well", () => {
    const { status, stderr } = runScript(`
      await openBackend("webgpu");
      tf.matMul(tf.ones([20, 30]), tf.ones([30, 20]));
      void tf.add(tf.ones([9]), 1).data();`);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });

  test("an adapter is chosen by a part of its name or by its number", () => {
    const names = runScript(`console.log((await openBackend("webgpu")).device)`, {
      ALIGNSCOPE_GPU_ADAPTER: "0",
    });
    expect(names.status).toBe(0);
    const word = String(names.stdout).trim().split(" ").at(-2) as string;
    const again = runScript(`console.log((await openBackend("webgpu")).device)`, {
      ALIGNSCOPE_GPU_ADAPTER: word.toUpperCase(),
    });
    expect(again.stdout).toBe(names.stdout);
  });

  test("an adapter that is not there is an error that lists those that are", () => {
    const { stdout } = runScript(`await openBackend("webgpu")`, { ALIGNSCOPE_GPU_ADAPTER: "Voodoo" });
    expect(stdout).toMatch(
      /^UserError: webgpu: no adapter matches ALIGNSCOPE_GPU_ADAPTER=Voodoo \(expected .* of: 0: .+\)\n$/,
    );
  });

  test("a tensor beyond the device's largest is refused before it is allocated, and work goes on", async () => {
    await openBackend("webgpu");
    const { maxTensorBytes } = webgpuLimits();
    const side = Math.ceil(Math.sqrt(maxTensorBytes / 4)) + 1;
    const before = tf.memory().numBytes;
    const [a, b] = [tf.ones([side, 1]), tf.ones([1, side])];
    expect(() => tf.matMul(a, b)).toThrow(
      new RegExp(
        `^webgpu: a tensor \\[${side},${side}\\] has \\d+ MiB, but this GPU's largest has \\d+ MiB: take a smaller batch$`,
      ),
    );
    tf.dispose([a, b]);
    expect([...(await tf.matMul(tf.ones([1, 2]), tf.ones([2, 1])).data())]).toEqual([2]);
    expect(tf.memory().numBytes).toBeLessThan(before + 1000);
  });

  test("a full memory is an error of one line, and smaller work still computes", () => {
    const { stdout, status } = runScript(`
      const { readFileSync } = require("node:fs");
      const { execFileSync } = require("node:child_process");
      await openBackend("webgpu");
      await tf.add(tf.ones([4]), 1).data();
      // The most address space that this process may still take.
      const used = Number(/VmSize:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
      execFileSync("prlimit", ["--as=" + (used + 600 * 2 ** 20), "--pid", String(process.pid)]);
      const row = tf.ones([1, 8000]), column = tf.ones([8000, 1]);
      const kept = [];
      try {
        for (let i = 0; i < 9; i++) kept.push(tf.add(row, column));
        console.log("nothing failed");
      } catch (error) {
        console.log(error.name + ": " + error.message);
      }
      tf.dispose(kept);
      console.log(await tf.matMul(tf.ones([2, 3]), tf.ones([3, 2])).data());`);
    // Where the driver has memory of its own, no limit of the process counts.
    if (process.platform !== "linux" || !/swiftshader/i.test(webgpuLimits().device)) return;
    expect(stdout).toMatch(
      /^UserError: webgpu: the GPU's memory is full: no room for a tensor \[8000,8000\] of 244 MiB beside \d+ MiB in use: take a smaller batch\n/,
    );
    expect(stdout).toContain("3, 3, 3, 3");
    expect(status).toBe(0);
  });

  test("tf.time measures our kernels", async () => {
    await openBackend("webgpu");
    const x = tf.ones([64, 64]);
    const { kernelMs } = (await tf.time(() => {
      tf.matMul(x, x).dispose();
    })) as { kernelMs: number };
    expect(kernelMs).toBeGreaterThan(0);
  });

  test("what a kernel did wrong is thrown by the next read, in one line and once", async () => {
    await openBackend("webgpu");
    const tensor = tf.add(tf.ones([3]), 1);
    const { device } = backend();
    device.createBuffer({ size: 4, usage: 0xffffff });
    const error = await tensor.data().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "UserError" });
    expect((error as Error).message).toMatch(/^webgpu: [^\n]+$/);
    expect([...(await tensor.data())]).toEqual([2, 2, 2]);
  });

  test("reading synchronously is refused with the remedy", async () => {
    await openBackend("webgpu");
    expect(() => tf.add(tf.ones([3]), 1).dataSync()).toThrow(
      "webgpu: a tensor cannot be read synchronously: await tensor.data()",
    );
  });

  test("memory that is no longer used is used again", async () => {
    await openBackend("webgpu");
    const x = tf.ones([1000]);
    const step = async (): Promise<number> => {
      const result = tf.tidy(() => tf.add(tf.mul(x, 2), 1));
      await result.data();
      result.dispose();
      return (backend().memory() as unknown as { numBytesAllocatedInGPU: number }).numBytesAllocatedInGPU;
    };
    await step();
    const first = await step();
    for (let i = 0; i < 20; i++) await step();
    expect(await step()).toBe(first);
  });

  test("a lost GPU is an error that says so, and the backend can be opened again", async () => {
    await openBackend("webgpu");
    const tensor = tf.add(tf.ones([3]), 1);
    backend().device.destroy();
    await expect(tensor.data()).rejects.toThrow(/^webgpu: [^\n]*(lost|destroyed)[^\n]*$/);
    await openBackend("webgpu");
    tensor.dispose();
    expect([...(await tf.add(tf.ones([3]), 1).data())]).toEqual([2, 2, 2]);
    expect([...(await tf.matMul(tf.ones([1, 2]), tf.ones([2, 1])).data())]).toEqual([2]);
  });
});

test("where there is no driver, the error names what to install", () => {
  if (process.platform !== "linux") return;
  const { stdout } = runScript(
    `await (require(${JSON.stringify(join(projectRoot(), "src/tensors/dist/webgpu/index.js"))})).openWebgpu();
     console.log("a real GPU is here")`,
  );
  expect(stdout).toMatch(/^(UserError: webgpu: [^\n]+install[^\n]+|a real GPU is here)\n$/);
});
