import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { formatNotebook, readNotebook } from "../../src/jupyter/index.js";
import { codeCells, notebookOf, printed } from "./notebooks.js";

const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "large-outputs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const kernels = [
  {
    kernel: "alignscope",
    language: "typescript",
    present: true,
    lines: "for (let n = 0; n < 20000; n++) console.log(n);",
    large: 'const line = "x".repeat(9999);\nfor (let n = 0; n < 10000; n++) console.log(line);',
    after: 'console.log("after")',
  },
  {
    kernel: "python3",
    language: "python",
    present: ipykernel,
    lines: "for n in range(20000):\n    print(n, flush=True)",
    large: "line = 'x' * 9999\nfor n in range(10000):\n    print(line)",
    after: "print('after')",
  },
];

/** Runs a notebook in a process of its own and tells the most memory that it and its kernel's processes had, in bytes. */
function runMeasured(name: string, notebook: string, options: object) {
  const output = join(folder, `${name}-out.ipynb`);
  const runner = join(projectRoot(), "src", "papermill", "dist");
  const script = join(folder, `${name}.cjs`);
  writeFileSync(
    script,
    `const { executeNotebook } = require(${JSON.stringify(join(runner, "index.js"))});
     const { readFileSync } = require("node:fs");
     const read = (path) => { try { return readFileSync(path, "utf8"); } catch { return ""; } };
     const most = (pid) => Number(/VmHWM:\\s+(\\d+)/.exec(read("/proc/" + pid + "/status"))?.[1] ?? 0) * 1024
       + read("/proc/" + pid + "/task/" + pid + "/children").split(" ").filter(Boolean).map(most).reduce((a, b) => a + b, 0);
     let pid, kernel = 0;
     const onEvent = (event) => {
       if (event.type === "kernel-ready") pid = event.pid;
       if (event.type === "cell-finished") kernel = most(pid);
     };
     executeNotebook(${JSON.stringify(notebook)}, ${JSON.stringify(output)},
       { ...${JSON.stringify(options)}, onEvent, logOutput: false, cwd: ${JSON.stringify(projectRoot())} }).then(() => {
       console.log(JSON.stringify({ runner: process.resourceUsage().maxRSS * 1024, kernel })); process.exit(0);
     });`,
  );
  const ended = spawnSync(process.execPath, [script], { encoding: "utf8" });
  expect(ended.stderr).toBe("");
  const memory = JSON.parse(ended.stdout) as { runner: number; kernel: number };
  return { memory, cells: codeCells(readNotebook(output)) };
}

for (const { kernel, language, present, lines, large, after } of kernels) {
  describe.skipIf(!present)(
    `the outputs of a cell in the kernel ${kernel}${present ? "" : " (needs ipykernel)"}`,
    () => {
      const save = (name: string, cells: string[]) => {
        const path = join(folder, `${kernel}-${name}.ipynb`);
        writeFileSync(path, formatNotebook(notebookOf(cells, kernel, language)));
        return path;
      };

      it("20,000 small ones arrive whole and in order (C33)", () => {
        const input = save("lines", [lines, after]);
        const { cells } = runMeasured(`${kernel}-lines`, input, {});
        expect(printed(cells[0]) === Array.from({ length: 20_000 }, (_, n) => `${n}\n`).join("")).toBe(true);
        expect(printed(cells[0], "stderr")).toBe("");
        expect(printed(cells[1])).toBe("after\n");
      });

      it.each([
        ["50 MB unless said otherwise", {}, 50],
        ["what --max-output-size says", { maxOutputSize: 8e6 }, 8],
      ])("100 MB are cut to %s, with a note, in bounded memory", (_, options, megabytes) => {
        const run = `${kernel}-large-${megabytes}`;
        const { cells, memory } = runMeasured(run, save(`large-${megabytes}`, [large, after]), options);
        expect(printed(cells[0]).length).toBe(megabytes * 1e6);
        expect(printed(cells[0], "stderr")).toContain(`larger than ${megabytes} MB (--max-output-size)`);
        expect(printed(cells[1])).toBe("after\n");
        expect(memory.runner).toBeGreaterThan(0);
        expect(memory.runner).toBeLessThan(800e6);
        if (existsSync("/proc/self/status")) expect(memory.kernel).toBeGreaterThan(0);
        expect(memory.kernel).toBeLessThan(1e9);
      });
    },
  );
}

it("the command line's --max-output-size takes a size with its unit and reaches the cell", () => {
  const input = join(folder, "option.ipynb");
  const output = join(folder, "option-out.ipynb");
  writeFileSync(input, formatNotebook(notebookOf(['console.log("x".repeat(30_000)); console.log("y")'])));
  const command = join(projectRoot(), "src", "papermill", "bin", "papermill-ts.mjs");
  const args = [command, input, output, "--max-output-size", "10kB"];
  expect(spawnSync(process.execPath, args, { cwd: projectRoot() }).status).toBe(0);
  const [cell] = codeCells(readNotebook(output));
  expect(printed(cell)).toBe("x".repeat(10_000));
  expect(printed(cell, "stderr")).toContain("--max-output-size");
});
