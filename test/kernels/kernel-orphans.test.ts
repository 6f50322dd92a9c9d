import { afterAll, expect, it } from "vitest";
import { endSessions, goneWithin, KernelSession, lives } from "./kernel-session.js";

afterAll(endSessions);

it("nothing outlives a kernel that is killed while a cell computes: not the cell's process, not what it has started", async () => {
  const kernel = await KernelSession.start();
  const { id } = await kernel.begin(`import { spawn } from "node:child_process";
const child = spawn("sleep", ["1000"]);
console.log("started", child.pid);
while (true) {}`);
  await kernel.saw(id, "started");
  const tree = kernel.tree();
  const text = kernel.about(id).map(({ content }) => String(content["text"] ?? ""));
  const sleeper = Number(/started (\d+)/.exec(text.join(""))?.[1]);
  expect(tree).toContain(sleeper);
  expect(tree.length).toBeGreaterThanOrEqual(3);
  expect(tree.every(lives)).toBe(true);
  kernel.signal("SIGKILL");
  expect(await goneWithin(tree, 3000)).toBe(true);
});

it("nothing outlives a kernel that is shut down while a cell computes", async () => {
  const kernel = await KernelSession.start();
  const { id } = await kernel.begin(`import { spawn } from "node:child_process";
spawn("sleep", ["1000"]);
console.log("started");
while (true) {}`);
  await kernel.saw(id, "started");
  const tree = kernel.tree();
  expect(tree.length).toBeGreaterThanOrEqual(3);
  const { content } = await kernel.request("control", "shutdown_request", { restart: false });
  expect(content["status"]).toBe("ok");
  expect(await goneWithin(tree, 3000)).toBe(true);
});
