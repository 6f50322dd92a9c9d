import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/jupyter/index.js";
import { endSessions, goneWithin, KernelSession } from "./kernel-session.js";

/*
 * What VS Code asks of a kernel by its published sources, beyond what every client does. It starts kernels itself, without
 * a Jupyter server.
 */

let kernel: KernelSession;
beforeAll(async () => {
  kernel = await KernelSession.start();
  await kernel.execute("0"); // The first cell waits for the compiler.
});
afterAll(endSessions);

it("looking whether the kernel's ports are in use does it no harm", async () => {
  for (const port of [kernel.info.shell_port, kernel.info.iopub_port]) {
    const socket = connect(port, kernel.info.ip);
    await once(socket, "connect");
    socket.destroy();
  }
  expect((await kernel.execute("1 + 1")).result).toBe("2");
});

it("an interrupt that comes as a message on the shell channel ends the cell", async () => {
  const cell = await kernel.begin('console.log("on"); while (true) {}');
  await kernel.saw(cell.id, "on");
  const { reply } = await kernel.request("shell", "interrupt_request");
  expect(reply.header.msg_type).toBe("interrupt_reply");
  expect((await cell.done).failure).toMatch(/^InterruptedError/);
});

it("every message has the fields that it is checked for", async () => {
  const fields: Record<string, Record<string, string>> = {
    status: { execution_state: "string" },
    execute_input: { code: "string", execution_count: "number" },
    stream: { name: "string", text: "string" },
    display_data: { data: "object", metadata: "object", transient: "object" },
    update_display_data: { data: "object", metadata: "object", transient: "object" },
    execute_result: { data: "object", metadata: "object", execution_count: "number" },
    error: { ename: "string", evalue: "string", traceback: "object" },
    clear_output: { wait: "boolean" },
    comm_open: { comm_id: "string", target_name: "string", data: "object" },
    comm_msg: { comm_id: "string", data: "object" },
    comm_close: { comm_id: "string", data: "object" },
  };
  await kernel.execute(`console.log(1);
kernel.display({ "text/plain": "a" }).update({ "text/plain": "b" });
kernel.clearOutput();
const line = kernel.comms.open("target");
line.send({ n: 1 });
line.close();
({ a: 1 })`);
  await kernel.execute("throw 1");
  const typesOf = (content: JsonObject): object =>
    Object.fromEntries(Object.entries(content).map(([name, value]) => [name, typeof value]));
  for (const { header, content } of kernel.iopub) {
    expect(typesOf(content), header.msg_type).toMatchObject(fields[header.msg_type] ?? { known: "no" });
    const { username, version, session, msg_id, msg_type } = header;
    expect([username, version, session, msg_id, msg_type].every((value) => typeof value === "string")).toBe(
      true,
    );
  }
  expect(new Set(kernel.iopub.map(({ header }) => header.msg_type))).toEqual(new Set(Object.keys(fields)));
});

it("the traceback of an error tells it alone: name and message are not shown beside it", async () => {
  for (const [code, told] of [
    ['throw new RangeError("too far")', "RangeError: too far"],
    ["throw { code: 7 }", "{ code: 7 }"],
    ["const wrong: number = 'text';", "Type 'string' is not assignable to type 'number'."],
    ["const = ;", "Variable declaration expected."],
  ] as const) {
    expect((await kernel.execute(code)).traceback).toContain(told);
  }
});

const PICTURED = new Set(
  "method function constructor field variable class struct interface module property event operator unit value constant enum enumMember keyword text color file reference folder typeParameter snippet".split(
    " ",
  ),
);

it("completions say of each match what it is, in the words that have a picture", async () => {
  await kernel.execute(`import path from "node:path";
let moving = 1;
const fixed = 2;
function turn(by: number) { return by; }
class Shape { size = 1; get side() { return this.size; } grow() {} }
interface Wish { more: boolean }
enum Level { Low }`);
  const kinds: Record<string, string> = {};
  for (const code of ["", "new Shape().", "Level.", "let wish: Wi", 'import "node:']) {
    const { content } = await kernel.request("shell", "complete_request", { code, cursor_pos: code.length });
    const { _jupyter_types_experimental: types } = content["metadata"] as Record<string, JsonObject[]>;
    expect(types?.map(({ text }) => text)).toEqual(content["matches"]);
    for (const { text, type } of types ?? []) kinds[String(text)] = String(type);
  }
  expect(kinds).toMatchObject({
    path: "variable",
    moving: "variable",
    fixed: "constant",
    turn: "function",
    Shape: "class",
    size: "property",
    side: "property",
    grow: "method",
    Wish: "interface",
    Level: "enum",
    Low: "enumMember",
    "node:fs": "module",
    while: "keyword",
    Math: "variable",
  });
  expect(Object.values(kinds).filter((kind) => !PICTURED.has(kind))).toEqual([]);
});

it("nothing is left of a kernel whose processes are ended as VS Code does it, the children first", async () => {
  const mortal = await KernelSession.start();
  const [, ...children] = mortal.tree();
  for (const pid of children) process.kill(pid, "SIGTERM");
  await goneWithin(children, 3000);
  const left = mortal.tree();
  mortal.signal("SIGTERM");
  expect(await goneWithin([...children, ...left], 3000)).toBe(true);
});
