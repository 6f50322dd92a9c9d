import { getEventListeners } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readNotebook, type Notebook } from "../../src/jupyter/index.js";
import {
  CellTimeoutError,
  DeadKernelError,
  executeNotebook,
  KernelStartError,
  PapermillExecutionError,
  RunInterruptedError,
  type ExecuteOptions,
  type RunnerEvent,
} from "../../src/papermill/index.js";
import { codeCells, notebookOf, printed, type CellSpec } from "./notebooks.js";

const folder = mkdtempSync(join(tmpdir(), "execute-"));
afterAll(() => rmSync(folder, { recursive: true }));

let runs = 0;

interface Run {
  error: unknown;
  /** As written to disk. */
  written: Notebook;
  events: RunnerEvent[];
}

/** Runs the cells in the project's kernel and reads back what was written, whatever the end was. */
async function run(cells: readonly CellSpec[], options: ExecuteOptions = {}): Promise<Run> {
  const output = join(folder, `run-${runs++}.ipynb`);
  const events: RunnerEvent[] = [];
  const error = await executeNotebook(notebookOf(cells), output, {
    cwd: projectRoot(),
    onEvent: (event) => events.push(structuredClone(event)),
    ...options,
  }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { error, written: readNotebook(output), events };
}

const record = (holder: { metadata: Record<string, unknown> } | undefined) =>
  holder?.metadata["papermill"] as Record<string, unknown>;

it("a cell that calls kernel.stop ends the run as a success, and what comes after it is skipped", async () => {
  const { error, written, events } = await run([
    "1 + 1",
    'kernel.stop("nothing new"); 2',
    "throw new Error()",
    "# Text",
  ]);
  expect(error).toBeUndefined();
  expect(written.cells.map((cell) => record(cell)?.["status"])).toEqual([
    "completed",
    "completed",
    "skipped",
    "skipped",
  ]);
  expect(record(written)?.["exception"]).toBeNull();
  expect(events.filter(({ type }) => type === "warning")).toEqual([
    { type: "warning", message: "the notebook ended itself, the rest is skipped: nothing new" },
  ]);
});

describe("a notebook that runs through", () => {
  const finished = run(
    [
      "# A title",
      ['const size: "small" | "large" = "small";\nconst names: string[] = [];', "parameters"],
      "const twice = names.concat(names); size",
      'import { display } from "tslab";\ndisplay.html("<b>bold</b>");\nconsole.error("a note");',
      "// papermill_description=Burst\nfor (let line = 0; line < 5000; line++) console.log(line);",
      "const later = await new Promise<number>((done) => setTimeout(() => done(twice.length), 5)); later",
      "",
    ],
    { parameters: { size: "large", names: ["a", "b"] } },
  );

  it("has its outputs, its counts and typed parameters", async () => {
    const { error, written } = await finished;
    expect(error).toBeUndefined();
    const cells = codeCells(written);
    expect(cells[1]?.source).toBe(
      '// Parameters\nconst size: "small" | "large" = "large";\nconst names: string[] = ["a", "b"];\n',
    );
    expect(cells.map((cell) => cell.execution_count)).toEqual([1, 2, 3, 4, 5, 6, null]);
    expect(printed(cells[2])).toBe("large\n");
    expect(cells[3]?.outputs).toContainEqual({
      output_type: "display_data",
      data: { "text/html": "<b>bold</b>" },
      metadata: {},
    });
    expect(printed(cells[3], "stderr")).toBe("a note\n");
    expect(printed(cells[5])).toBe("4\n");
  });

  it("has every line of a burst of 5,000", async () => {
    const { written } = await finished;
    expect(printed(codeCells(written)[4])).toBe(
      Array.from({ length: 5000 }, (_, line) => `${line}\n`).join(""),
    );
    expect(codeCells(written)[4]?.metadata["papermill-ts"]).toBeUndefined();
  });

  it("has papermill's metadata", async () => {
    const { written } = await finished;
    expect(Object.keys(record(written)).sort()).toEqual([
      "default_parameters",
      "duration",
      "end_time",
      "environment_variables",
      "exception",
      "input_path",
      "output_path",
      "parameters",
      "start_time",
      "version",
    ]);
    expect(record(written)).toMatchObject({
      exception: null,
      parameters: { size: "large", names: ["a", "b"] },
    });
    expect(record(written)["start_time"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    expect(codeCells(written).map((cell) => record(cell)["status"])).toEqual(Array(7).fill("completed"));
    expect(codeCells(written).map((cell) => record(cell)["exception"])).toEqual(Array(7).fill(false));
    expect(record(written.cells[0])).toMatchObject({ status: "completed", exception: false });
    expect(written.cells[0]?.metadata.tags).toEqual([]);
    expect(written.metadata.language_info).toMatchObject({ name: "typescript", file_extension: ".ts" });
  });

  it("told each cell's place and description while it went on", async () => {
    const { events } = await finished;
    const started = events.filter((event) => event.type === "cell-started");
    expect(started.map((event) => event.codeIndex)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(started.every((event) => event.codeTotal === 7 && event.total === 8)).toBe(true);
    expect(started.map((event) => event.description).slice(1, 5)).toEqual([
      "Parameters",
      "const twice = names.concat(names); size",
      'import { display } from "tslab";',
      "Burst",
    ]);
    const types = events.map((event) => event.type);
    expect(types.slice(0, 2)).toEqual(["notebook-opened", "notebook-started"]);
    expect(types.at(-1)).toBe("notebook-finished");
    expect(types.filter((type) => type === "saved").length).toBeGreaterThan(3);
    expect(types.lastIndexOf("saved")).toBe(types.length - 2);
  });

  it("left nothing but the notebook in its folder", async () => {
    await finished;
    expect(readdirSync(folder).filter((name) => !name.endsWith(".ipynb"))).toEqual([]);
  });
});

describe("a failing cell", () => {
  it("with a run-time error stops the run and has the error beside it", async () => {
    const { error, written } = await run([
      "const before = 1;",
      'console.error("a note");\nfunction broken(): never { throw new RangeError("bad:\\nvery"); }\nbroken();',
      "before",
    ]);
    expect(error).toBeInstanceOf(PapermillExecutionError);
    expect(error).toMatchObject({
      cellIndex: 1,
      executionCount: 2,
      ename: "RangeError",
      evalue: "bad:\nvery",
    });
    expect((error as Error).message).toContain('Exception encountered at "In [2]":');
    expect(written.cells.map((cell) => cell.metadata.tags)).toEqual([
      ["papermill-error-cell-tag"],
      [],
      ["papermill-error-cell-tag"],
      [],
      [],
    ]);
    expect(written.cells[0]?.source).toContain("In [2]");
    const [, failed, never] = codeCells(written);
    expect(failed?.outputs.map((output) => output.output_type)).toEqual(["stream", "error"]);
    expect(printed(failed, "stderr")).toBe("a note\n");
    expect(record(failed)).toMatchObject({ status: "failed", exception: true });
    expect(record(never)).toMatchObject({ status: "pending", exception: null, start_time: null });
    expect(record(written)).toMatchObject({ exception: true });
  });

  it("with type errors runs none of its code and names every error", async () => {
    const { error, written } = await run([
      'console.log("ran");\nconst a: number = "x";\nconst b: string = 1;',
    ]);
    expect(error).toMatchObject({ ename: "TypeScriptError" });
    const lines = (error as PapermillExecutionError).traceback.map((line) => stripVTControlCharacters(line));
    expect(lines).toEqual([
      "In [1]:2:7 - error TS2322: Type 'string' is not assignable to type 'number'.",
      '  1 | console.log("ran");',
      '> 2 | const a: number = "x";',
      "    |       ^",
      "  3 | const b: string = 1;",
      "",
      "In [1]:3:7 - error TS2322: Type 'number' is not assignable to type 'string'.",
      '  1 | console.log("ran");',
      '  2 | const a: number = "x";',
      "> 3 | const b: string = 1;",
      "    |       ^",
    ]);
    expect(printed(codeCells(written)[0])).toBe("");
  });

  it("that ends the kernel is a dead kernel, not a finished cell, and keeps what it printed", async () => {
    const { error, written } = await run(['console.log("last words"); process.exit(3);', "1"]);
    expect(error).toBeInstanceOf(DeadKernelError);
    const [dead, never] = codeCells(written);
    expect(printed(dead)).toBe("last words\n");
    expect(dead?.outputs.at(-1)).toMatchObject({ output_type: "error", ename: "DeadKernelError" });
    expect((dead?.outputs.at(-1) as { evalue: string }).evalue).toContain("exit code 3");
    expect(record(dead)).toMatchObject({ status: "failed", exception: true });
    expect(record(never)).toMatchObject({ status: "pending" });
    expect(record(written)).toMatchObject({ exception: true });
  });

  it("that takes too long is interrupted and failed", async () => {
    const { error, written } = await run(["while (true) {}", "1"], { executionTimeout: 2 });
    expect(error).toBeInstanceOf(CellTimeoutError);
    const [late, never] = codeCells(written);
    expect(record(late)).toMatchObject({ status: "failed", exception: true });
    expect(record(never)).toMatchObject({ status: "pending" });
    expect(written.cells[0]?.metadata.tags).toEqual(["papermill-error-cell-tag"]);
  });

  it("tagged raises-exception lets the run go on, and the next cell really runs", async () => {
    const { error, written } = await run([['throw new Error("expected")', "raises-exception"], "2 + 2"]);
    expect(error).toBeUndefined();
    const [raised, next] = codeCells(written);
    expect(raised?.outputs.at(-1)).toMatchObject({ ename: "Error", evalue: "expected" });
    expect(record(raised)).toMatchObject({ status: "completed", exception: true });
    expect(printed(next)).toBe("4\n");
    expect(record(written)).toMatchObject({ exception: null });
  });

  it("leaves no markers behind when the notebook is run again and works", async () => {
    const output = join(folder, "again.ipynb");
    const broken = executeNotebook(notebookOf(['throw new Error("no")']), output, { cwd: projectRoot() });
    await expect(broken).rejects.toThrow(PapermillExecutionError);
    const repaired = readNotebook(output);
    const cell = codeCells(repaired)[0];
    if (cell) {
      cell.source = "1";
      cell.metadata["papermill-ts"] = { truncated: true };
    }
    const again = await executeNotebook(repaired, output, { cwd: projectRoot() });
    expect(again.cells.map((each) => each.source)).toEqual(["1"]);
    expect(codeCells(again)[0]?.metadata["papermill-ts"]).toBeUndefined();
    expect(record(again)).toMatchObject({ exception: null });
  });
});

describe("a run that is ended from outside", () => {
  it("marks the running cell, writes the notebook and ends the kernel", async () => {
    const stop = new AbortController();
    let kernelPid = 0;
    const { error, written } = await run(["console.log(process.pid); await new Promise(() => {});", "1"], {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== "output" || event.output.output_type !== "stream") return;
        kernelPid ||= Number(event.output.text);
        stop.abort();
      },
    });
    expect(error).toBeInstanceOf(RunInterruptedError);
    expect(record(codeCells(written)[0])).toMatchObject({ status: "failed", exception: true });
    expect(kernelPid).toBeGreaterThan(0);
    expect(() => process.kill(kernelPid, 0)).toThrow("ESRCH");
  });
});

describe("the signal of a run", () => {
  it("has at most one listener, however many cells ran before, and none when the run is over", async () => {
    const { signal } = new AbortController();
    const listening: number[] = [];
    const cells = Array.from({ length: 13 }, (_, n) => `console.log(${n})`);
    const { error } = await run(cells, {
      signal,
      onEvent: (event) =>
        event.type === "output" && listening.push(getEventListeners(signal, "abort").length),
    });
    expect(error).toBeUndefined();
    // What a cell printed may arrive after its reply, when nobody listens for it any more.
    expect(listening).toHaveLength(13);
    expect(Math.max(...listening)).toBe(1);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("bad input", () => {
  it("is refused before any kernel starts: no such folder, no such kernel, no kernel named", async () => {
    const notebook = notebookOf(["1"], "nope");
    await expect(executeNotebook(notebook, join(folder, "no", "out.ipynb"))).rejects.toThrow(
      `the output folder ${join(folder, "no")} does not exist`,
    );
    await expect(executeNotebook(notebook, null)).rejects.toThrow(
      /no such kernel: nope \(found .*alignscope/,
    );
    await expect(
      executeNotebook(notebook, null, { kernelName: "alignscope", cwd: join(folder, "no") }),
    ).rejects.toThrow(`the working directory ${join(folder, "no")} does not exist`);
    delete notebook.metadata.kernelspec;
    await expect(executeNotebook(notebook, null)).rejects.toThrow("names no kernel");
    await expect(executeNotebook(notebook, "adl://store/out.ipynb")).rejects.toThrow("adl://");
  });

  it("that keeps the kernel from starting is told with what the kernel printed", async () => {
    const { error, written } = await run(["1"], { environment: { NODE_OPTIONS: "--no-such-option" } });
    expect(error).toBeInstanceOf(KernelStartError);
    expect((error as Error).message).toMatch(
      /did not start: its process ended with exit code 9.*no-such-option/s,
    );
    expect(record(written)).toMatchObject({ exception: true });
    expect(record(codeCells(written)[0])).toMatchObject({ status: "pending" });
  });

  it("such as a kernelspec whose command is not there is told in one line", async () => {
    const before = process.env["JUPYTER_PATH"];
    const at = join(folder, "kernels", "absent");
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "kernel.json"), JSON.stringify({ argv: [join(at, "nothing")], language: "none" }));
    process.env["JUPYTER_PATH"] = folder;
    try {
      await expect(executeNotebook(notebookOf(["1"], "absent"), null)).rejects.toThrow(
        /^the kernel absent did not start: its command cannot be run \(spawn .*nothing ENOENT\)$/,
      );
    } finally {
      rmSync(join(folder, "kernels"), { recursive: true });
      if (before === undefined) delete process.env["JUPYTER_PATH"];
      else process.env["JUPYTER_PATH"] = before;
    }
  });

  it("such as too short a start is a KernelStartError", async () => {
    const { error } = await run(["1"], { startTimeout: 0.01 });
    expect(error).toBeInstanceOf(KernelStartError);
    expect((error as Error).message).toContain("no answer within 0.01 s");
  });
});

it("the written notebook is whole whenever somebody looks", async () => {
  const output = join(folder, "whole.ipynb");
  let reads = 0;
  const cells = Array.from({ length: 8 }, () => "console.log('x'.repeat(300_000));");
  await executeNotebook(notebookOf(cells), output, {
    cwd: projectRoot(),
    onEvent: (event) => {
      if (event.type !== "cell-started" && event.type !== "output") return;
      JSON.parse(readFileSync(output, "utf8"));
      reads++;
    },
  });
  expect(reads).toBeGreaterThan(8);
});
