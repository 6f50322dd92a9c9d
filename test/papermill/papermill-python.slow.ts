import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readNotebook, type Notebook } from "../../src/jupyter/index.js";
import { executeNotebook, type ExecuteOptions, type RunnerEvent } from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed, type CellSpec } from "./notebooks.js";

// papermill's own cases that run cells, on the kernel that they were written for (Debian: python3-ipykernel).
const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "papermill-python-"));
afterAll(() => rmSync(folder, { recursive: true }));
let runs = 0;

async function run(cells: readonly CellSpec[] | Notebook, options: ExecuteOptions = {}) {
  const notebook = Array.isArray(cells)
    ? notebookOf(cells as readonly CellSpec[], "python3", "python")
    : (cells as Notebook);
  const output = join(folder, `${runs++}.ipynb`);
  const events: RunnerEvent[] = [];
  const onEvent = (event: RunnerEvent) => void events.push(event);
  const error: unknown = await executeNotebook(notebook, output, { cwd: folder, onEvent, ...options }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, events, output, written: readNotebook(output) };
}

const record = (of: { metadata: Record<string, unknown> } | undefined) =>
  of?.metadata["papermill"] as Record<string, unknown>;
const kinds = (notebook: Notebook) =>
  notebook.cells.map((cell) =>
    cell.metadata.tags?.includes("papermill-error-cell-tag") ? "marker" : cell.cell_type,
  );

describe.skipIf(!ipykernel)("a Python notebook that fails (needs ipykernel)", () => {
  it("has two markers, whatever an earlier run left, and nothing after the error (C6)", async () => {
    const stale: CellSpec = ["# old marker", "papermill-error-cell-tag"];
    const { error, written } = await run([
      stale,
      "# Title",
      "1",
      "# Text",
      stale,
      "# More",
      "assert False",
      "2",
    ]);
    expect(error).toMatchObject({ ename: "AssertionError", executionCount: 2 });
    expect(kinds(written)).toEqual([
      "marker",
      "markdown",
      "code",
      "markdown",
      "markdown",
      "marker",
      "code",
      "code",
    ]);
    expect(codeCells(written).map((cell) => cell.execution_count)).toEqual([1, 2, null]);
    expect(written.cells.map((cell) => record(cell)?.["status"])).toEqual([
      undefined,
      "completed",
      "completed",
      "completed",
      "completed",
      undefined,
      "failed",
      "pending",
    ]);
  });

  it("keeps what the cell showed before its error (C7)", async () => {
    const { written } = await run(["from IPython.display import display\ndisplay('shown')\nassert False"]);
    expect(kinds(written)).toEqual(["marker", "marker", "code"]);
    expect(codeCells(written)[0]?.outputs.map((output) => output.output_type)).toEqual([
      "display_data",
      "error",
    ]);
  });

  it("without an error output, as with magics, is failed all the same (C12)", async () => {
    const { error, written } = await run(["%no_such_magic", "2", "3"]);
    expect(error).toMatchObject({ executionCount: 1, ename: "UsageError" });
    expect(codeCells(written)[2]?.execution_count).toBeNull();
    expect(record(written)["exception"]).toBe(true);
  });

  it("by sys.exit(1) is told without colours, with the number of its cell (C11)", async () => {
    const { error, written } = await run(["1", "import sys\nsys.exit(1)"]);
    expect((error as Error).message).toContain('Exception encountered at "In [2]"');
    expect((error as Error).message).not.toContain("\u001b");
    expect(written.cells[0]?.source).toContain("In [2]");
  });

  it.each(["import sys; sys.exit()", "import sys; sys.exit(0)", "raise SystemExit"])(
    "by %s does not fail: it stops, without markers (C10)",
    async (source) => {
      const { error, written } = await run(["1", source, "2"]);
      expect(error).toBeUndefined();
      expect(kinds(written)).toEqual(["code", "code", "code"]);
      expect(codeCells(written)[1]?.outputs).toContainEqual(expect.objectContaining({ ename: "SystemExit" }));
      expect(codeCells(written)[2]?.execution_count).toBeNull();
    },
  );
});

describe.skipIf(!ipykernel)("the truth about a Python notebook (needs ipykernel)", () => {
  it("that takes too long as a whole: the cell that ran then failed, later ones are pending", async () => {
    const { error, written } = await run(["1", "import time\ntime.sleep(60)", "2"], { notebookTimeout: 6 });
    expect(error).toMatchObject({ name: "NotebookTimeoutError" });
    expect(codeCells(written).map((cell) => record(cell)["status"])).toEqual([
      "completed",
      "failed",
      "pending",
    ]);
    expect(record(written)["exception"]).toBe(true);
    expect(kinds(written)).toEqual(["marker", "code", "marker", "code", "code"]);
  });

  it("of which a cell may take too long and another dies: neither is completed (C23)", async () => {
    const late = await run(["import time\ntime.sleep(60)", "2"], { executionTimeout: 1 });
    expect(late.error).toMatchObject({ name: "CellTimeoutError" });
    const dead = await run(["import os\nos._exit(1)", "2"]);
    expect(dead.error).toMatchObject({ name: "DeadKernelError" });
    for (const { written } of [late, dead]) {
      expect(codeCells(written).map((cell) => record(cell)["status"])).toEqual(["failed", "pending"]);
      expect(record(written)["exception"]).toBe(true);
    }
  });

  it("with errors that are expected and cells that are skipped", async () => {
    const cells: CellSpec[] = [
      ["1/0", "raises-exception"],
      ["print('no')", "skip-execution"],
      "print('yes')",
    ];
    const { error, written } = await run(cells);
    expect(error).toBeUndefined();
    expect(codeCells(written).map((cell) => record(cell)["status"])).toEqual([
      "completed",
      "pending",
      "completed",
    ]);
    expect(codeCells(written)[1]?.outputs).toEqual([]);
    expect(kinds(written)).toEqual(["code", "code", "code"]);
  });
});

describe.skipIf(!ipykernel)("a Python notebook that runs through (needs ipykernel)", () => {
  it("runs in the folder that was named, tees its text, saves in the middle and keeps everything (C9, C25, C29, C30, C33)", async () => {
    const stdoutFile = join(folder, "stdout.txt");
    const saves: number[] = [];
    const cells: CellSpec[] = [
      ["msg = None", "parameters"],
      "import os, sys, time\nprint(msg); print(os.getcwd(), file=sys.stderr)",
      "for n in range(8):\n    time.sleep(0.15); print(n, flush=True)",
      "for n in range(20000):\n    print(n, flush=True)",
      "# The end",
    ];
    const place = mkdtempSync(join(folder, "cwd-"));
    const output = join(folder, "whole.ipynb");
    const written = await executeNotebook(notebookOf(cells, "python3", "python"), output, {
      cwd: place,
      parameters: { msg: "UUID" },
      stdoutFile,
      autosaveCellEvery: 0.3,
      onEvent: (event) => {
        if (event.type === "output" && event.index === 3) saves.push(statSync(output).mtimeMs);
      },
    });
    const [, , hello, slow, burst] = codeCells(written);
    expect(printed(hello)).toBe("UUID\n");
    expect(printed(hello, "stderr")).toBe(`${place}\n`);
    expect(new Set(saves).size).toBeGreaterThanOrEqual(3);
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `${n}\n`).join("");
    expect(printed(slow)).toBe(lines(8));
    expect(printed(burst)).toBe(lines(20000));
    expect(readFileSync(stdoutFile, "utf8")).toBe(`UUID\n${lines(8)}${lines(20000)}`);
    for (const cell of written.cells) {
      expect(record(cell)).toMatchObject({ status: "completed", exception: false });
      expect(record(cell)["duration"]).toBeGreaterThanOrEqual(0);
    }
    expect(written.metadata["papermill-ts"]).toEqual({ kernel: "python3" });
  });
});
