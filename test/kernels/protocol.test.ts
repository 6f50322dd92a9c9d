import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Kernel } from "../../kernels/typescript/front/kernel.js";
import type { Language } from "../../kernels/typescript/front/language.js";
import type { KernelSockets } from "../../kernels/typescript/front/sockets.js";
import { projectRoot } from "../../src/base/paths.js";
import type { JsonObject } from "../../src/jupyter/index.js";
import { endSessions, KernelSession, type Answer } from "./kernel-session.js";

let kernel: KernelSession;
beforeAll(async () => void (kernel = await KernelSession.start()));
afterAll(endSessions);

const ask = (type: string, content: JsonObject = {}): Promise<Answer> =>
  kernel.request("shell", type, content);
const types = (answer: Answer): string[] => answer.messages.map(({ header }) => header.msg_type);
const states = (answer: Answer): unknown[] =>
  answer.of("status").map(({ content }) => content["execution_state"]);

it("kernel_info_reply has a status, and its versions are true", async () => {
  const { content } = await ask("kernel_info_request");
  const version = (file: string): string =>
    (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
  expect(content).toMatchObject({
    status: "ok",
    implementation: "ts-jupyter-kernel",
    implementation_version: version(join(projectRoot(), "package.json")),
    language_info: { name: "typescript", version: version(compiler), file_extension: ".ts" },
  });
});

it("completion, inspection and is_complete are answered while a cell computes", async () => {
  const { id, done } = await kernel.begin('let turns = 0; console.log("cell is on"); for (;;) turns++;');
  await kernel.saw(id, "cell is on");
  const place = (code: string): JsonObject => ({ code, cursor_pos: code.length });
  expect((await ask("complete_request", place("turn"))).content["matches"]).toContain("turns");
  expect((await ask("inspect_request", place("turns"))).content["found"]).toBe(true);
  expect((await ask("is_complete_request", { code: "f(" })).content["status"]).toBe("incomplete");
  await kernel.interrupt();
  expect((await done).failure).toMatch(/^InterruptedError/);
});

it("the kernel says that it is starting before it says anything else", () => {
  // On the wire it comes before any client can have subscribed: what is handed to the sockets is looked at.
  const published: unknown[] = [];
  const sockets = {
    publish: (...given: unknown[]) => Promise.resolve(void published.push(given)),
    listen: () => undefined,
    close: () => undefined,
  };
  const started = new Kernel(
    sockets as unknown as KernelSockets,
    [process.execPath, "--version"],
    {} as Language, // It is asked for nothing.
    () => undefined,
  );
  started.kill();
  expect(published).toEqual([["status", { execution_state: "starting" }, {}]]);
});

it("a cell is announced by execute_input, and its value comes as execute_result, both with the cell's number", async () => {
  const answer = await kernel.execute("6 * 7");
  expect(types(answer)).toEqual(["status", "execute_input", "execute_result", "status"]);
  const count = answer.content["execution_count"];
  expect(count).toBeGreaterThan(0);
  expect(answer.of("execute_input")[0]?.content).toEqual({ code: "6 * 7", execution_count: count });
  expect(answer.of("execute_result")[0]?.content).toMatchObject({
    data: { "text/plain": "42" },
    execution_count: count,
  });
  expect(states(answer)).toEqual(["busy", "idle"]);
});

it("a cell that fails gives exactly one error, the same on iopub and in the reply, with the cell's number", async () => {
  for (const code of ['throw new RangeError("too far")', "const wrong: number = 'text';", "const = ;"]) {
    const answer = await kernel.execute(code);
    expect(answer.output.map(({ header }) => header.msg_type)).toEqual(["error"]);
    const { ename, evalue, traceback, status, execution_count: count } = answer.content;
    expect(status).toBe("error");
    expect(answer.of("error")[0]?.content).toEqual({ ename, evalue, traceback });
    expect(count).toBe(answer.of("execute_input")[0]?.content["execution_count"]);
    expect((traceback as string[]).length).toBeGreaterThan(0);
  }
  expect((await kernel.execute('throw new RangeError("too far")')).failure).toBe("RangeError: too far");
});

it("a silent cell shows nothing, counts nothing and leaves no history", async () => {
  const before = (await kernel.execute("0")).content["execution_count"] as number;
  const silent = await kernel.execute(
    'console.log("loud"); kernel.display({ "text/plain": "x" }); var kept = 5; 1',
    {
      silent: true,
    },
  );
  expect(silent.output).toEqual([]);
  expect(silent.of("execute_input")).toEqual([]);
  expect(silent.content).toMatchObject({ status: "ok", execution_count: before });
  const after = await kernel.execute("kept");
  expect([after.result, after.content["execution_count"]]).toEqual(["5", before + 1]);
  const { history } = (await ask("history_request", { hist_access_type: "tail", n: 2 })).content;
  expect((history as [number, number, string][]).map(([, , code]) => code)).toEqual(["0", "kept"]);
});

it("a silent cell that fails says so in its reply alone", async () => {
  const silent = await kernel.execute('throw new Error("quiet")', { silent: true });
  expect(silent.output).toEqual([]);
  expect(silent.failure).toBe("Error: quiet");
});

it("a cell with store_history false shows its output, counts nothing and leaves no history", async () => {
  const before = (await kernel.execute("1")).content["execution_count"];
  const unstored = await kernel.execute('console.log("seen"); 2', { store_history: false });
  expect([unstored.text(), unstored.result, unstored.content["execution_count"]]).toEqual([
    "seen\n",
    "2",
    before,
  ]);
  const { history } = (await ask("history_request", { hist_access_type: "tail", n: 1 })).content;
  expect((history as [number, number, string][])[0]?.[2]).toBe("1");
});

it("user_expressions are evaluated after a cell that went well, each with its own failure", async () => {
  const { content } = await kernel.execute("const base = 20;", {
    user_expressions: {
      sum: "base + 1",
      object: "{ a: base }",
      later: "Promise.resolve(3)",
      wrong: "nowhere",
    },
  });
  expect(content["user_expressions"]).toMatchObject({
    sum: { status: "ok", data: { "text/plain": "21" } },
    object: { status: "ok", data: { "text/plain": "{ a: 20 }" } },
    wrong: { status: "error", ename: "TypeScriptError" },
  });
  expect((await kernel.execute("base + 2")).result).toBe("22");
});

it("cells that wait behind a failure are aborted, in the protocol's word and with a number; with stop_on_error false they run", async () => {
  // Long enough for the others to be there when it fails, also from a client that gets little of the processor.
  const failing = 'await new Promise((done) => setTimeout(done, 1500)); throw new Error("stop")';
  for (const [stop, statuses] of [
    [true, ["error", "aborted", "aborted"]],
    [false, ["error", "ok", "ok"]],
  ] as const) {
    const sent = [
      await kernel.begin(failing, { stop_on_error: stop }),
      await kernel.begin("1"),
      await kernel.begin("2"),
    ];
    const answers = await Promise.all(sent.map(({ done }) => done));
    expect(answers.map(({ content }) => content["status"])).toEqual(statuses);
    for (const answer of answers) expect(answer.content["execution_count"]).toBeTypeOf("number");
    if (stop) expect(answers[1]?.output).toEqual([]);
  }
});

it("comm_info_request is answered by comm_info_reply", async () => {
  const { reply } = await ask("comm_info_request");
  expect(reply.header.msg_type).toBe("comm_info_reply");
  expect(reply.content).toEqual({ status: "ok", comms: {} });
});

it("a comm that is opened to a target that nobody knows is closed", async () => {
  const { id } = await kernel.send("comm_open", { comm_id: "lost", target_name: "nobody", data: {} });
  const messages = await kernel.idle(id);
  const closed = messages.filter(({ header }) => header.msg_type === "comm_close");
  expect(closed.map(({ content }) => content["comm_id"])).toEqual(["lost"]);
  expect((await ask("comm_info_request")).content["comms"]).toEqual({});
});

it("messages of a comm go both ways, whoever opened it", async () => {
  await kernel.execute(`kernel.comms.register("echo", (comm, data) => {
  comm.send({ opened: data });
  comm.onMessage = (said) => { console.log("heard", said.n); comm.send({ echo: said }); };
  comm.onClose = () => console.log("closed");
});`);
  const about = async (type: string, content: JsonObject): Promise<JsonObject[]> =>
    (await kernel.idle((await kernel.send(type, { comm_id: "mine", ...content })).id)).map(
      ({ content: c }) => c,
    );
  expect(await about("comm_open", { target_name: "echo", data: { a: 1 } })).toContainEqual({
    comm_id: "mine",
    data: { opened: { a: 1 } },
  });
  expect((await ask("comm_info_request", { target_name: "echo" })).content["comms"]).toEqual({
    mine: { target_name: "echo" },
  });
  const said = await about("comm_msg", { data: { n: 2 } });
  expect(said).toContainEqual({ comm_id: "mine", data: { echo: { n: 2 } } });
  expect(said).toContainEqual({ name: "stdout", text: "heard 2\n" });
  expect(await about("comm_close", { data: {} })).toContainEqual({ name: "stdout", text: "closed\n" });
  const opened = await kernel.execute('const line = kernel.comms.open("widget", { b: 2 }); line.close();');
  expect(opened.output.map(({ header, content }) => [header.msg_type, content["comm_id"]])).toEqual([
    ["comm_open", opened.of("comm_open")[0]?.content["comm_id"]],
    ["comm_close", opened.of("comm_open")[0]?.content["comm_id"]],
  ]);
});

it("the history of the session can be asked for, with results, by range and by pattern", async () => {
  const count = (await kernel.execute("'first of history'")).content["execution_count"] as number;
  await kernel.execute("1 + 1");
  const get = async (content: JsonObject): Promise<unknown> =>
    (await ask("history_request", { raw: true, output: false, ...content })).content["history"];
  expect(await get({ hist_access_type: "tail", n: 1, output: true })).toEqual([
    [1, count + 1, ["1 + 1", "2"]],
  ]);
  expect(await get({ hist_access_type: "range", session: 0, start: count, stop: count + 1 })).toEqual([
    [1, count, "'first of history'"],
  ]);
  expect(await get({ hist_access_type: "search", pattern: "*of history*" })).toEqual([
    [1, count, "'first of history'"],
  ]);
});

it.each([
  ["const a = 1;", "complete"],
  ["const a = `one", "incomplete"],
  ["function f() {", "incomplete"],
  ["const a = ;", "invalid"],
  ["a b c", "invalid"],
  ["'one", "invalid"],
])("is_complete of %j: %s", async (code, status) => {
  const { content } = await ask("is_complete_request", { code });
  expect(content["status"]).toBe(status);
  expect(typeof content["indent"]).toBe(status === "incomplete" ? "string" : "undefined");
});

it("completion of Math.sq is sqrt alone", async () => {
  const { content } = await ask("complete_request", { code: "Math.sq", cursor_pos: 7 });
  expect(content).toMatchObject({ status: "ok", matches: ["sqrt"], cursor_start: 5, cursor_end: 7 });
});

it("positions in code are counted in characters, also after those beyond sixteen bits", async () => {
  const code = 'const 名 = "😀😀"; 名.toUpperC';
  const { content } = await ask("complete_request", { code, cursor_pos: [...code].length });
  const start = [...code].length - "toUpperC".length;
  expect(content).toMatchObject({ matches: ["toUpperCase"], cursor_start: start, cursor_end: start + 8 });
  const inspected = await ask("inspect_request", {
    code: '"😀😀"; Math.sqrt',
    cursor_pos: 12,
    detail_level: 0,
  });
  expect(JSON.stringify(inspected.content["data"])).toContain("sqrt(x: number): number");
});

it("output can be cleared", async () => {
  const answer = await kernel.execute("console.log(1); kernel.clearOutput(true); console.log(2);");
  expect(answer.output.map(({ content }) => content)).toEqual([
    { name: "stdout", text: "1\n" },
    { wait: true },
    { name: "stdout", text: "2\n" },
  ]);
});

it("a question is refused when the client allows none, and answered when it does", async () => {
  expect((await kernel.execute('await input("Name? ")')).failure).toContain("does not allow questions");
  const asked = await kernel.execute('const name = await input("Name? "); name + "!"', { answers: ["Ada"] });
  expect([asked.failure, asked.result]).toEqual(["", "Ada!"]);
});

it("the kernel's messages carry a session of its own", async () => {
  const answer = await kernel.execute("1");
  const sessions = new Set([answer.reply, ...answer.messages].map(({ header }) => header.session));
  expect(sessions.size).toBe(1);
  expect(sessions).not.toContain(kernel.client.session);
  expect(answer.reply.parentHeader.session).toBe(kernel.client.session);
});

it("a message of a type that nobody knows is bracketed by busy and idle", async () => {
  const { id } = await kernel.send("curious_request", {});
  const messages = await kernel.idle(id);
  expect(messages.map(({ content }) => content["execution_state"])).toEqual(["busy", "idle"]);
});

it("requests on control are answered, and the heartbeat beats, while a cell computes without a pause", async () => {
  const cell = await kernel.begin(
    'console.log("on"); for (const end = Date.now() + 3000; Date.now() < end; );',
  );
  await kernel.saw(cell.id, "on");
  const start = performance.now();
  expect((await kernel.request("control", "kernel_info_request")).content["status"]).toBe("ok");
  expect(await kernel.heartbeat()).toBeLessThan(1000);
  expect(performance.now() - start).toBeLessThan(2000);
  expect((await cell.done).failure).toBe("");
});

it("an interrupt_request is answered and ends the cell", async () => {
  const cell = await kernel.begin('console.log("on"); while (true) {}');
  await kernel.saw(cell.id, "on");
  const answer = await kernel.request("control", "interrupt_request");
  expect([answer.reply.header.msg_type, answer.content]).toEqual(["interrupt_reply", { status: "ok" }]);
  expect((await cell.done).failure).toMatch(/^InterruptedError/);
});

it("with an empty key nothing is signed, and nothing need be", async () => {
  const unsigned = await KernelSession.start({ info: { key: "" } });
  expect((await unsigned.execute("1 + 1")).result).toBe("2");
});

it.each([true, false])("shutdown_reply echoes restart: %s, then the kernel is gone", async (restart) => {
  const mortal = await KernelSession.start();
  const { reply } = await mortal.request("control", "shutdown_request", { restart });
  expect(reply.header.msg_type).toBe("shutdown_reply");
  expect(reply.content).toMatchObject({ status: "ok", restart });
  expect((await mortal.exited)[0]).toBe(0);
});
