import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  DeadKernelError,
  executeNotebook,
  PapermillExecutionError,
  type ExecuteOptions,
} from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed, type CellSpec } from "./notebooks.js";

// Debian: python3-ipykernel. It speaks the whole protocol, so it is the yardstick for what tslab does its own way.
const ipykernel = spawnSync("/usr/bin/python3", ["-c", "import ipykernel"]).status === 0;

// Empty: IPython takes text for the name of a file where there is one of that name.
const folder = mkdtempSync(join(tmpdir(), "alignscope-python-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(cells: readonly CellSpec[], options: ExecuteOptions = {}) {
  const notebook = notebookOf(cells, "python3", "python");
  return executeNotebook(notebook, null, { cwd: folder, ...options });
}

describe.skipIf(!ipykernel)("a Python notebook (needs ipykernel)", () => {
  it.each([
    [{}, true],
    [{ shutdownTimeout: 0.3 }, false],
  ])("may end what it has begun when its kernel ends, as long as it is given: %j", async (options, ends) => {
    const mark = join(folder, `ended-${ends}`);
    const slowEnd = `import atexit, signal, time
signal.signal(signal.SIGTERM, signal.SIG_DFL)
atexit.register(lambda: (time.sleep(2.5), open(${JSON.stringify(mark)}, "w").close()))`;
    await run([slowEnd], options);
    expect(existsSync(mark)).toBe(ends);
  });

  it("runs with parameters, results, displays that change, and 20,000 small outputs", async () => {
    const done = await run(
      [
        ["msg = None\nsizes: list = []", "parameters"],
        "print(msg); sizes",
        "from IPython.display import display, HTML, clear_output\nhandle = display(HTML('old'), display_id=True)",
        "handle.update(HTML('new'))",
        "import sys\nfor line in range(20000):\n    print(line); sys.stdout.flush()",
        "print('gone'); clear_output(wait=True); print('stays')",
      ],
      { parameters: { msg: 'say "hi"', sizes: [1, null, { a: true }] } },
    );
    const cells = codeCells(done);
    expect(cells[1]?.source).toBe('# Parameters\nmsg = "say \\"hi\\""\nsizes = [1, None, {"a": True}]\n');
    expect(cells[2]?.outputs[0]).toMatchObject({ output_type: "stream", text: 'say "hi"\n' });
    expect(cells[2]?.outputs.at(-1)).toMatchObject({
      output_type: "execute_result",
      execution_count: 3,
      data: { "text/plain": "[1, None, {'a': True}]" },
    });
    expect(cells[3]?.outputs[0]).toMatchObject({ data: { "text/html": "new" } });
    expect(printed(cells[5])).toBe(Array.from({ length: 20000 }, (_, line) => `${line}\n`).join(""));
    expect(printed(cells[6])).toBe("stays\n");
    expect(cells[5]?.metadata["execution"]).toMatchObject({
      "shell.execute_reply": expect.any(String) as string,
    });
    expect(done.metadata.language_info?.name).toBe("python");
  });

  it("fails with the kernel's own error, once", async () => {
    const failed: unknown = await run(["1", "def f():\n    raise ValueError('no')\nf()", "2"]).catch(
      (e: unknown) => e,
    );
    expect(failed).toBeInstanceOf(PapermillExecutionError);
    expect(failed).toMatchObject({ cellIndex: 1, executionCount: 2, ename: "ValueError", evalue: "no" });
    expect((failed as Error).message).not.toContain("\x1b");
  });

  it("ends well at sys.exit(0) and runs nothing more", async () => {
    const done = await run(["import sys; sys.exit(0)", "print('never')"]);
    expect(codeCells(done)[1]?.outputs).toEqual([]);
    expect(codeCells(done)[1]?.metadata["papermill"]).toMatchObject({ status: "pending" });
  });

  it("fails at sys.exit(1)", async () => {
    await expect(run(["import sys; sys.exit(1)"])).rejects.toMatchObject({
      ename: "SystemExit",
      evalue: "1",
    });
  });

  it("is told when its kernel dies", async () => {
    await expect(run(["import os; os._exit(1)"])).rejects.toThrow(DeadKernelError);
  });

  it("that asks for input fails rather than hangs", async () => {
    await expect(run(["input('name? ')"])).rejects.toMatchObject({ ename: "StdinNotImplementedError" });
  });
});
