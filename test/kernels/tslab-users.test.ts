import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endSessions, KernelSession } from "./kernel-session.js";

/* What notebooks do that were written for tslab: they run as they are. */

const folder = mkdtempSync(join(tmpdir(), "tslab-users-"));
const files = {
  // As tsc leaves a library: CommonJS, with its types beside it.
  "lib/digits.js":
    'Object.defineProperty(exports, "__esModule", { value: true });\nexports.default = { async load() { return [7, 3]; } };',
  "lib/digits.d.ts": "declare const digits: { load(): Promise<number[]> };\nexport default digits;",
  "node_modules/draws/package.json": '{ "name": "draws", "main": "index.js", "types": "index.d.ts" }',
  "node_modules/draws/index.js":
    "exports.draw = (tslab, rows) => tslab.display.html(`<p>${rows.join()}</p>`);",
  "node_modules/draws/index.d.ts":
    'export declare function draw(tslab: typeof import("tslab"), rows: number[]): void;',
};

let kernel: KernelSession;
beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, "notebooks"));
  kernel = await KernelSession.start({ cwd: join(folder, "notebooks") });
  expect((await kernel.execute('import * as tslab from "tslab";')).failure).toBe("");
});
afterAll(async () => {
  await endSessions();
  rmSync(folder, { recursive: true });
});

it("everything that display can show, as what it is", async () => {
  const { failure, output } = await kernel.execute(`const bytes = Buffer.from("bytes");
tslab.display.javascript("1");
tslab.display.latex("$x$");
tslab.display.svg("<svg/>");
tslab.display.jpeg(bytes);
tslab.display.gif(bytes);
tslab.display.pdf(new Uint8Array(bytes));
tslab.display.raw("application/x-own", bytes);`);
  expect(failure).toBe("");
  expect(output.map(({ content }) => content["data"])).toEqual([
    { "text/javascript": "1" },
    { "text/latex": "$x$" },
    { "image/svg+xml": "<svg/>" },
    { "image/jpeg": "Ynl0ZXM=" },
    { "image/gif": "Ynl0ZXM=" },
    { "application/pdf": "Ynl0ZXM=" },
    { "application/x-own": "Ynl0ZXM=" },
  ]);
});

it("a display of an earlier cell is updated by a later one", async () => {
  const first = await kernel.execute('const bar = tslab.newDisplay();\nbar.text("0%");');
  const later = await kernel.execute(
    "{\n  let display = bar;\n  await null;\n  display.html('<b>100%</b>');\n}",
  );
  const [shown, update] = [first, later].map(({ output }) => output[0]);
  expect(update?.header.msg_type).toBe("update_display_data");
  expect(update?.content).toEqual({ ...shown?.content, data: { "text/html": "<b>100%</b>" } });
});

it("a package that is handed tslab shows through it", async () => {
  const { failure, output } = await kernel.execute('import { draw } from "draws";\ndraw(tslab, [1, 2]);');
  expect(failure).toBe("");
  expect(output.map(({ content }) => content["data"])).toEqual([{ "text/html": "<p>1,2</p>" }]);
});

it("a library of one's own, compiled and above the notebook's folder, has its types", async () => {
  const { failure, result } = await kernel.execute(
    'import digits from "../lib/digits";\n(await digits.load())[0].toFixed(1)',
  );
  expect([failure, result]).toEqual(["", "7.0"]);
  expect((await kernel.execute("digits.save()")).failure).toContain("Property 'save' does not exist");
});

it("a promise that is not awaited is shown at once", async () => {
  const { result } = await kernel.execute("new Promise((resolve) => setTimeout(resolve, 60_000).unref())");
  expect(result).toBe("Promise { <pending> }");
});
