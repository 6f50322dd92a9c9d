import { afterEach, describe, expect, it } from "vitest";
import { endFronts, eventually, Front, runs, typesOf } from "./front.js";

afterEach(endFronts);

describe("a cell whose process ends", () => {
  it.each([
    ["process.exit", "process.exit(3)", /exit code 3 \(process.exit was called/],
    [
      "being killed",
      `process.kill(process.pid, "SIGKILL"); await k.sleep(9e3)`,
      /SIGKILL \(often .*out of memory/,
    ],
    [
      "a crash",
      `process.kill(process.pid, "SIGSEGV"); await k.sleep(9e3)`,
      /SIGSEGV \(a crash in native code/,
    ],
  ])("by %s fails with the reason, and the next one runs in a fresh process", async (_, end, reason) => {
    const front = await Front.start();
    const dying = await front.run(`k.out("before"); globalThis.kept = 1; ${end}`);
    expect(dying.text("stdout")).toBe("before");
    expect(typesOf(dying.output)).toEqual(["stream", "error"]);
    expect(dying.reply.content).toMatchObject({
      status: "error",
      ename: "DeadKernelError",
      execution_count: 1,
    });
    expect(dying.reply.content["evalue"]).toMatch(reason);
    expect(dying.reply.content["evalue"]).not.toContain("\n");

    const next = await front.run(`k.out(typeof globalThis.kept)`);
    expect(next.reply.content).toMatchObject({ status: "ok", execution_count: 2 });
    expect(next.text("stdout")).toBe("undefined");
    expect(next.text("stderr")).toMatch(
      /^The process that ran the earlier cells ended .*variables are gone\.\n$/,
    );
    expect((await front.run("")).output).toEqual([]);
  });

  it("by an exhausted heap is told apart", async () => {
    const front = await Front.start({ flags: ["--max-old-space-size=30"] });
    const { reply } = await front.run(`const all = []; for (;;) all.push(new Array(1e4).fill({}));`);
    expect(reply.content["evalue"]).toMatch(/JavaScript heap is exhausted/);
  });

  it("because it broke the line between the two is told apart", async () => {
    const front = await Front.start();
    const { reply } = await front.run(
      `require("node:fs").writeSync(3, Buffer.from([1, 0, 0, 0, 9, 9])); await k.sleep(9e3);`,
    );
    expect(reply.content["evalue"]).toMatch(/did a cell write to file descriptor 3\?/);
    expect((await front.run("")).reply.content["status"]).toBe("ok");
  });

  it("aborts what waits, and outlives what it started", async () => {
    const front = await Front.start();
    const dying = await front.send("execute_request", {
      code: `const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
        k.out(String(child.pid)); await k.sleep(100); process.exit(1);`,
    });
    const waiting = await front.ask("execute_request", { code: "" });
    const { reply, text } = await dying.done;
    expect(reply.content["ename"]).toBe("DeadKernelError");
    expect(waiting.reply.content["status"]).toBe("aborted");
    await eventually(() => !runs(Number(text("stdout"))));
  });

  it("again and again is given a fresh one each time", async () => {
    const front = await Front.start();
    for (let n = 0; n < 4; n++)
      expect((await front.run("process.exit(1)")).reply.content["status"]).toBe("error");
    expect((await front.run("")).reply.content["status"]).toBe("ok");
  });
});

it("a process that ends between two cells is replaced, and the next cell says so", async () => {
  const front = await Front.start();
  const first = await front.run("setTimeout(() => process.exit(7), 20); k.out(String(process.pid))");
  expect(first.reply.content["status"]).toBe("ok");
  await eventually(() => !runs(Number(first.text("stdout"))));
  const next = await front.run("");
  expect(next.reply.content["status"]).toBe("ok");
  expect(next.text("stderr")).toContain("ended with exit code 7");
});

it("a process that never becomes ready is tried three times, and every cell says why", async () => {
  const front = await Front.start({ prelude: `console.error("no compiler here"); process.exit(4)` });
  for (let n = 0; n < 2; n++) {
    const { reply, output } = await front.run("1");
    expect(reply.content["evalue"]).toMatch(/exit code 4 .*3 times before it was ready/);
    expect((reply.content["traceback"] as string[]).join("\n")).toContain("no compiler here");
    expect(typesOf(output).filter((type) => type === "error")).toHaveLength(1);
  }
  // The compiler needs none.
  expect((await front.ask("complete_request", { code: "", cursor_pos: 0 })).reply.content["status"]).toBe(
    "ok",
  );
});

it("a process that cannot be started at all is described as such", async () => {
  const front = await Front.start({ command: ["/nowhere/node"] });
  const { reply } = await front.run("1");
  expect(reply.content["evalue"]).toContain("could not be started (spawn /nowhere/node ENOENT)");
});
