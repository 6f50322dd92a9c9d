import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { executeNotebook } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed } from "../papermill/notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "kernel-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("the kernel is the pinned tslab, sees Node's types, and lets cells redeclare, import and await", async () => {
  const cells = [
    'import { versions } from "tslab"; versions.tslab',
    "const value: number = 1; Buffer.from([value]).length",
    'const value: string = "again"; value',
    'import * as os from "os";\nimport { sep } from "node:path"; sep',
    "await Promise.resolve(os.EOL.length)",
  ];
  const done = await executeNotebook(notebookOf(cells), null, { cwd: projectRoot() });
  expect(codeCells(done).map((cell) => printed(cell))).toEqual(["1.0.22\n", "1\n", "again\n", "/\n", "1\n"]);
});

it("the kernel prints live from a loop that does not pause, and takes no other tslab from where it works", async () => {
  // A working directory with a tslab of its own, which must not be taken.
  const stranger = join(folder, "node_modules", "tslab", "dist");
  mkdirSync(stranger, { recursive: true });
  writeFileSync(join(stranger, "main.js"), "throw new Error('the wrong tslab')");
  const arrivals: number[] = [];
  const cells = [
    "setInterval(() => {}, 1000);\nfor (let n = 0; n < 3; n++) { console.log(n); const end = Date.now() + 400; while (Date.now() < end); }",
  ];
  let finished = 0;
  await executeNotebook(notebookOf(cells), null, {
    cwd: folder,
    onEvent: (event) => {
      if (event.type === "output") arrivals.push(Date.now());
      if (event.type === "cell-finished") finished = Date.now();
    },
  });
  expect(arrivals).toHaveLength(3);
  // Live: the first line is here long before the cell, 1.2 s of it, is over.
  expect(finished - (arrivals[0] ?? finished)).toBeGreaterThan(600);
});
