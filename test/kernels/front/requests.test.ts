import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Request } from "zeromq";
import { toPoints, toUnits } from "../../../kernels/typescript/front/code-points.js";
import { History, matchesGlob } from "../../../kernels/typescript/front/history.js";
import { socketAddress } from "../../../src/jupyter/index.js";
import { endFronts, Front, typesOf } from "./front.js";

let front: Front;
beforeAll(async () => {
  front = await Front.start();
});
afterAll(endFronts);

describe("kernel_info", () => {
  it("says what this kernel is, in the terms of the protocol", async () => {
    const { reply } = await front.ask("kernel_info_request", {});
    expect(reply.header.msg_type).toBe("kernel_info_reply");
    expect(reply.content).toMatchObject({
      status: "ok",
      protocol_version: "5.4",
      implementation: "ts-jupyter-kernel",
      language_info: {
        name: "typescript",
        file_extension: ".ts",
        mimetype: "text/typescript",
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
        codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
        nbconvert_exporter: "script",
      },
    });
  });

  it.each(["shell", "control"] as const)("is answered on %s while a cell computes", async (channel) => {
    const busy = await front.send("execute_request", {
      code: `k.out("x"); for (const end = Date.now() + 400; Date.now() < end; );`,
    });
    await front.saw(busy.id, "stream");
    await front.ask("kernel_info_request", {}, channel);
    expect(front.replyTo(busy.id)).toBeUndefined();
    await busy.done;
  });

  it("is answered before the executor is ready", async () => {
    const young = await Front.start({ slow: 60_000 });
    expect((await young.ask("kernel_info_request", {})).reply.content["status"]).toBe("ok");
  });
});

it("the heartbeat echoes, also while a cell computes", async () => {
  const { done } = await front.send("execute_request", {
    code: "for (const end = Date.now() + 300; Date.now() < end; );",
  });
  const heart = new Request({ linger: 0 });
  heart.connect(socketAddress(front.info, "hb"));
  await heart.send("ping");
  expect(String(await heart.receive())).toBe("ping");
  heart.close();
  await done;
});

it("a request of an unknown type is bracketed, and not answered", async () => {
  for (const channel of ["shell", "control"] as const) {
    const { id } = await front.send("debug_request", {}, channel);
    await front.until(() => front.isIdle(id));
    expect(typesOf(front.iopubOf(id))).toEqual(["status", "status"]);
    await front.ask("is_complete_request", { code: "" });
    expect(front.replyTo(id)).toBeUndefined();
  }
});

describe("positions in code are counted in characters", () => {
  const code = "😀.x😀";

  it.each([
    [0, 0],
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 6],
  ])("code point %i is UTF-16 unit %i", (points, units) => {
    expect(toUnits(code, points)).toBe(units);
    expect(toPoints(code, units)).toBe(points);
  });

  it("and those outside the code are taken to its ends", () => {
    expect([toUnits(code, -1), toUnits(code, 99), toPoints(code, 99)]).toEqual([0, 6, 4]);
  });

  it("when completing", async () => {
    const { reply } = await front.ask("complete_request", { code, cursor_pos: 3 });
    expect(reply.content).toEqual({
      status: "ok",
      matches: ["word"],
      cursor_start: 2,
      cursor_end: 3,
      metadata: { _jupyter_types_experimental: [{ start: 2, end: 3, text: "word", type: "const" }] },
    });
  });

  it("when inspecting", async () => {
    const { reply } = await front.ask("inspect_request", { code, cursor_pos: 1, detail_level: 0 });
    expect(reply.content).toEqual({ status: "ok", found: true, data: { "text/plain": "😀" }, metadata: {} });
    const nothing = await front.ask("inspect_request", { code: "", cursor_pos: 0, detail_level: 0 });
    expect(nothing.reply.content).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  });
});

it("is_complete tells complete, incomplete and invalid code apart", async () => {
  const ask = async (code: string) => (await front.ask("is_complete_request", { code })).reply.content;
  expect(await ask("1")).toEqual({ status: "complete" });
  expect(await ask("{")).toEqual({ status: "incomplete", indent: "  " });
  expect(await ask(")")).toEqual({ status: "invalid" });
});

describe("history", () => {
  const history = new History();
  ["let a = 1", "a + 1", "let b = 2", "a + 1"].forEach((code, index) => history.add(index + 1, code));
  history.setOutput(4, "2");
  const inputs = (request: object): unknown[] =>
    history.answer(request as never).map((entry) => (entry as unknown[]).slice(1));

  it("has the last ones, a range, and what fits a pattern", () => {
    expect(inputs({ hist_access_type: "tail", n: 2 })).toEqual([
      [3, "let b = 2"],
      [4, "a + 1"],
    ]);
    expect(inputs({ hist_access_type: "range", session: 0, start: 1, stop: 3 })).toEqual([
      [1, "let a = 1"],
      [2, "a + 1"],
    ]);
    expect(inputs({ hist_access_type: "search", pattern: "let*" })).toHaveLength(2);
    expect(inputs({ hist_access_type: "search", pattern: "a*", unique: true })).toEqual([[4, "a + 1"]]);
    expect(inputs({ hist_access_type: "search", pattern: "*", n: 1 })).toEqual([[4, "a + 1"]]);
    expect(inputs({ hist_access_type: "range", session: 7, start: 1 })).toEqual([]);
    expect(inputs({})).toEqual([]);
  });

  it("has outputs where they are asked for", () => {
    expect(inputs({ hist_access_type: "tail", n: 2, output: true })).toEqual([
      [3, ["let b = 2", null]],
      [4, ["a + 1", "2"]],
    ]);
  });

  it.each([
    ["", "", true],
    ["abc", "a?c", true],
    ["a\nc", "a*c", true],
    ["abcabd", "*abd", true],
    ["abc", "b*", false],
    ["a".repeat(3000), "*a".repeat(40) + "b", false],
  ])("patterns: %j fits %j: %j", (text, pattern, fits) => {
    expect(matchesGlob(text, pattern)).toBe(fits);
  });

  it("holds what was run, with its result", async () => {
    await front.run(`k.result({ "text/plain": "42" })`);
    const { reply } = await front.ask("history_request", { hist_access_type: "tail", n: 1, output: true });
    const [[session, , pair]] = reply.content["history"] as [[number, number, string[]]];
    expect([session, pair]).toEqual([1, [`k.result({ "text/plain": "42" })`, "42"]]);
  });
});

describe("comms", () => {
  const list = async (target?: string) =>
    (await front.ask("comm_info_request", target === undefined ? {} : { target_name: target })).reply.content[
      "comms"
    ];

  /** Resolves to the comm messages that a client's message led to. */
  const tell = async (type: string, content: object) => {
    const { id } = await front.send(type, content as never);
    await front.until(() => front.isIdle(id));
    return front.iopubOf(id).filter(({ header }) => header.msg_type.startsWith("comm"));
  };

  it("opened by a client reach the cell, are listed, answer, and close", async () => {
    const comm_id = randomUUID();
    await tell("comm_open", { comm_id, target_name: "mine", data: { a: 1 } });
    expect(await list()).toEqual({ [comm_id]: { target_name: "mine" } });
    expect(await list("mine")).toHaveProperty(comm_id);
    expect(await list("other")).toEqual({});
    const [echo] = await tell("comm_msg", { comm_id, data: { b: 2 } });
    expect(echo?.header.msg_type).toBe("comm_msg");
    expect(echo?.content).toEqual({ comm_id, data: { echo: { b: 2 } } });
    await tell("comm_close", { comm_id, data: {} });
    expect(await list()).toEqual({});
    expect(await tell("comm_msg", { comm_id, data: {} })).toEqual([]);
  });

  it("make no cell forgotten, however many messages they have", async () => {
    const cell = await front.send("execute_request", { code: `setTimeout(() => k.out("late"), 1500)` });
    await cell.done;
    const comm_id = randomUUID();
    await tell("comm_open", { comm_id, target_name: "slider", data: {} });
    for (let n = 0; n < 1100; n++)
      await front.client.request("shell", "comm_msg", { comm_id, data: {} }, () => undefined);
    await tell("comm_close", { comm_id, data: {} });
    await front.saw(cell.id, "stream");
  });

  it("of an unknown target are closed", async () => {
    const comm_id = randomUUID();
    const [closed] = await tell("comm_open", { comm_id, target_name: "unknown", data: {} });
    expect(closed?.header.msg_type).toBe("comm_close");
    expect(await list()).toEqual({});
  });

  it("opened by a cell reach the client, with their buffers, and end with its process", async () => {
    const { id, done } = await front.send("execute_request", {
      code: `k.send({ type: "comm-open", execution: k.execution, commId: "c", target: "widget", data: { x: 1 },
        metadata: { version: "2" }, buffers: [Buffer.from([1, 2, 255]).toString("base64")] })`,
    });
    await done;
    const [opened] = front.iopubOf(id).filter(({ header }) => header.msg_type === "comm_open");
    expect(opened?.content).toEqual({ comm_id: "c", target_name: "widget", data: { x: 1 } });
    expect(opened?.metadata).toEqual({ version: "2" });
    expect([...(opened?.buffers[0] ?? [])]).toEqual([1, 2, 255]);
    expect(await list("widget")).toEqual({ c: { target_name: "widget" } });
    const dying = await front.run("process.exit(0)");
    expect(typesOf(dying.output)).toContain("comm_close");
    expect(await list()).toEqual({});
  });
});
