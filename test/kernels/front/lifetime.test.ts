import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { newConnectionInfo, removeConnectionFile, writeConnectionFile } from "../../../src/jupyter/index.js";
import { childrenOf, endFronts, eventually, Front, lazyReader, runs } from "./front.js";

afterEach(endFronts);

/** The process id of the executor, which then computes without a pause and hears nothing. */
async function busyExecutor(front: Front): Promise<number> {
  const { id } = await front.send("execute_request", { code: `k.out(String(process.pid)); for (;;);` });
  const message = await front.saw(id, "stream");
  return Number(message.content["text"]);
}

describe("the kernel ends, with a cell that never pauses,", () => {
  it.each(["shell", "control"] as const)("when it is asked to on %s", async (channel) => {
    const front = await Front.start();
    const executor = await busyExecutor(front);
    const { reply, iopub } = await front.ask("shutdown_request", { restart: true }, channel);
    expect(reply.header.msg_type).toBe("shutdown_reply");
    expect(reply.content).toEqual({ status: "ok", restart: true });
    expect(iopub.map(({ content }) => content["execution_state"])).toEqual(["busy", "idle"]);
    expect(await front.exited).toEqual([0, null]);
    await eventually(() => !runs(executor));
  });

  it.each(["SIGTERM", "SIGHUP"] as const)("by %s", async (signal) => {
    const front = await Front.start();
    const executor = await busyExecutor(front);
    front.process.kill(signal);
    expect(await front.exited).toEqual([0, null]);
    await eventually(() => !runs(executor));
  });

  it("by SIGTERM, also while a client does not read what it prints", async () => {
    const front = await Front.start();
    const lazy = await lazyReader(front);
    const { id } = await front.send("execute_request", { code: `for (;;) k.out("x".repeat(1e6));` });
    await front.saw(id, "stream");
    // Long enough for everything between the two to be full.
    for (let before = -1; before !== front.received.length; await sleep(200)) before = front.received.length;
    front.process.kill("SIGTERM");
    expect(await front.exited).toEqual([0, null]);
    lazy.close();
  });

  it("within a second when it has nothing to do", async () => {
    const front = await Front.start();
    await front.run("");
    const begin = performance.now();
    await front.ask("shutdown_request", { restart: false }, "control");
    await front.exited;
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});

it("the kernel ends when the process that started it is gone, and takes its executor along", async () => {
  const file = writeConnectionFile(await newConnectionInfo("test"));
  const command = [
    process.execPath,
    join(import.meta.dirname, "fake-executor.cjs"),
    "console.log(process.pid)",
  ];
  // A parent that says the front's process id and waits to be killed.
  const parent = spawn(process.execPath, [
    "-e",
    `const { spawn } = require("node:child_process");
     const front = spawn(process.execPath, ${JSON.stringify([join(import.meta.dirname, "host.cjs"), file, JSON.stringify(command)])});
     console.log(front.pid); setInterval(() => {}, 1000);`,
  ]);
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface(parent.stdout).once("line", (text: string) => resolve([text])),
  );
  const front = Number(line);
  await eventually(() => childrenOf(front).length > 0);
  const [executor = 0] = childrenOf(front);
  parent.kill("SIGKILL");
  await eventually(() => !runs(front) && !runs(executor));
  removeConnectionFile(file);
});

it("a port that is taken is named as such, and ends the kernel", async () => {
  const first = await Front.start();
  const file = writeConnectionFile(first.info);
  const second = spawn(process.execPath, [join(import.meta.dirname, "host.cjs"), file, "[]"]);
  let printed = "";
  second.stderr.on("data", (text: Buffer) => (printed += String(text)));
  const code = await new Promise((resolve) => second.once("close", resolve));
  removeConnectionFile(file);
  expect(code).toBe(1);
  expect(printed).toMatch(/^the kernel cannot start: .*EADDRINUSE.*\n$/);
});

it("the front process stays small", async () => {
  const front = await Front.start();
  await front.run("");
  expect(front.memory()).toBeLessThan(65);
});
