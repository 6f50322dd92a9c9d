import { afterAll, describe, expect, it, beforeAll } from "vitest";
import { endFronts, Front, typesOf } from "./front.js";

let front: Front;
beforeAll(async () => {
  front = await Front.start();
});
afterAll(endFronts);

describe("a cell", () => {
  it("is bracketed by busy and idle, announced with its number, and answered after all its output", async () => {
    const { reply, iopub } = await front.run(`k.out("hello"); k.result({ "text/plain": "1" });`);
    expect(typesOf(iopub)).toEqual(["status", "execute_input", "stream", "execute_result", "status"]);
    expect(iopub[1]?.content).toMatchObject({ execution_count: 1 });
    expect(iopub[3]?.content).toEqual({ data: { "text/plain": "1" }, metadata: {}, execution_count: 1 });
    expect(reply.content).toEqual({ status: "ok", execution_count: 1, user_expressions: {}, payload: [] });
    expect(reply.header.session).not.toBe(front.client.session);
    expect(reply.header.version).toBe("5.4");
  });

  it("that fails has one error among its outputs, and the same in its reply", async () => {
    const { reply, output } = await front.run(`throw new TypeError("no such thing");`);
    const error = { ename: "TypeError", evalue: "no such thing", traceback: ["TypeError: no such thing"] };
    expect(output.map(({ content }) => content)).toEqual([error]);
    expect(reply.content).toMatchObject({ status: "error", execution_count: 2, ...error });
  });

  it("has its output in the order in which it was made", async () => {
    const { output } = await front.run(`for (const n of [1, 2]) {
      k.out("o" + n); k.err("e" + n); k.display({ "text/html": "d" + n });
    } k.clear(true);`);
    expect(typesOf(output).join()).toBe("stream,stream,display_data,stream,stream,display_data,clear_output");
    expect(output.map(({ content }) => content["text"]).filter(Boolean)).toEqual(["o1", "e1", "o2", "e2"]);
  });

  it("updates what it has displayed", async () => {
    const { output } = await front.run(
      `k.display({ "text/plain": "a" }, "id"); k.display({ "text/plain": "b" }, "id", true);`,
    );
    expect(typesOf(output)).toEqual(["display_data", "update_display_data"]);
    expect(output.map(({ content }) => content["transient"])).toEqual([
      { display_id: "id" },
      { display_id: "id" },
    ]);
  });

  it("run silently shows nothing, and neither counts nor is remembered", async () => {
    const before = (await front.run("")).reply.content["execution_count"] as number;
    const { output, iopub, reply } = await front.run(
      `k.out("x"); console.log("y"); k.display({}); throw 1;`,
      {
        silent: true,
      },
    );
    expect(output).toEqual([]);
    expect(typesOf(iopub)).toEqual(["status", "status"]);
    expect(reply.content).toMatchObject({ status: "error", execution_count: before });
    const noHistory = await front.run(`k.out("z")`, { store_history: false });
    expect(noHistory.reply.content["execution_count"]).toBe(before);
    expect((await front.run("")).reply.content["execution_count"]).toBe(before + 1);
  });

  it("has its user expressions in the reply", async () => {
    const { reply } = await front.run("", { user_expressions: { sum: "1 + 2" } });
    expect(reply.content["user_expressions"]).toEqual({
      sum: { status: "ok", data: { "text/plain": "3" }, metadata: {} },
    });
  });

  it("also shows what goes past the kernel, to the process's own stdout and stderr", async () => {
    const { text } = await front.run(`
      require("node:fs").writeSync(1, "from fd 1\\n");
      require("node:child_process").execSync("echo from a child >&2", { stdio: "inherit" });`);
    expect(text("stdout")).toBe("from fd 1\n");
    expect(text("stderr")).toBe("from a child\n");
  });

  it("is still the parent of what it prints when it is over", async () => {
    const first = await front.send("execute_request", {
      code: `setTimeout(() => { k.out("late"); k.display({ "text/plain": "later" }); }, 100);`,
    });
    await first.done;
    await front.run("await k.sleep(150)");
    await front.saw(first.id, "display_data");
    const types = typesOf(front.iopubOf(first.id));
    expect(types.slice(types.lastIndexOf("status"))).toEqual(["status", "stream", "display_data"]);
  });

  it("without code is answered with an error, not with silence", async () => {
    const { reply } = await front.ask("execute_request", {});
    expect(reply.content).toMatchObject({ status: "error", ename: "BadRequestError" });
  });
});

describe("after a cell that fails", () => {
  const ran = (code: string) => ({ code: `k.out("ran"); ${code}` });

  it("the cells that were already waiting are aborted, and those that come later run", async () => {
    const failing = await front.send("execute_request", { code: `await k.sleep(100); throw new Error("x")` });
    const waiting = await Promise.all([1, 2, 3].map(() => front.send("execute_request", ran(""))));
    const info = await front.send("is_complete_request", { code: "1" });
    const { reply } = await failing.done;
    const later = await front.ask("execute_request", ran(""));
    for (const { done } of waiting) {
      const answer = await done;
      expect(answer.reply.content).toMatchObject({
        status: "aborted",
        execution_count: reply.content["execution_count"],
      });
      expect(typesOf(answer.iopub)).toEqual(["status", "status"]);
    }
    expect((await info.done).reply.content["status"]).toBe("complete");
    expect(later.reply.content["status"]).toBe("ok");
    expect(later.text("stdout")).toBe("ran");
  });

  it("those sent the moment its reply is there all run", async () => {
    for (let round = 0; round < 20; round++) {
      const failing = await front.send("execute_request", { code: "throw 1" });
      await front.until(() => front.replyTo(failing.id));
      const next = await Promise.all([1, 2].map(() => front.run("")));
      expect(next.map(({ reply }) => reply.content["status"])).toEqual(["ok", "ok"]);
    }
  });

  it("all run when it asked not to stop on errors", async () => {
    const failing = await front.send("execute_request", {
      code: `await k.sleep(50); throw new Error("x")`,
      stop_on_error: false,
    });
    const waiting = await front.ask("execute_request", ran(""));
    expect((await failing.done).reply.content["status"]).toBe("error");
    expect(waiting.text("stdout")).toBe("ran");
  });
});
