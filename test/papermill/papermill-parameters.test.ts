import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { papermill } from "../../src/papermill/command/papermill.js";
import { formatNotebook, parseNotebook, readNotebook, type Notebook } from "../../src/jupyter/index.js";
import { codeCells, notebookOf, type CellSpec } from "./notebooks.js";

// papermill's own cases that need no kernel, through the command line, in this process.
const folder = mkdtempSync(join(tmpdir(), "papermill-parameters-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

const at = (name: string) => join(folder, name);

function save(name: string, cells: readonly CellSpec[], language = "python"): string {
  writeFileSync(
    at(name),
    formatNotebook(notebookOf(cells, language === "python" ? "python3" : "ir", language)),
  );
  return at(name);
}

const simple = save("simple.ipynb", [
  ["msg = None", "parameters"],
  "# papermill_description=DESC\nprint(msg)",
  "# ",
]);
const bare = save("bare.ipynb", ["print(msg)"]);

/** Runs one command line; the notebook is what it wrote. */
async function run(...args: string[]) {
  const lines = { out: [] as string[], err: [] as string[] };
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.out.push(line));
  vi.spyOn(console, "error").mockImplementation((line: string) => void lines.err.push(line));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.err.push(String(text)) > 0);
  const code = await papermill(args);
  vi.restoreAllMocks();
  return { code, out: lines.out.join("\n"), err: lines.err.join("").trimEnd() };
}

async function prepare(input: string, ...args: string[]): Promise<Notebook & { err: string }> {
  const { code, err } = await run(input, at("out.ipynb"), "--prepare-only", ...args);
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
  return Object.assign(readNotebook(at("out.ipynb")), { err });
}

const parametersOf = ({ metadata }: Notebook) =>
  (metadata["papermill"] as { parameters: Record<string, unknown> }).parameters;

describe("a parameter", () => {
  it("is put after the cell that declares it, and noted (C1)", async () => {
    const notebook = await prepare(simple, "-k", "python3", "-p", "msg", "Hello");
    expect(notebook.cells[1]?.source).toBe('# Parameters\nmsg = "Hello"\n');
    expect(parametersOf(notebook)).toEqual({ msg: "Hello" });
    expect(notebook.cells.every((cell) => Array.isArray(cell.metadata.tags))).toBe(true);
  });

  it("that was written as a fraction stays one in a language that has two kinds of number", async () => {
    const args = ["-y", "{rate: 2, layers: [1.0, 2, 1e3]}", "-p", "rate", "1.0", "-p", "count", "1"];
    const python = await prepare(simple, "-k", "python3", ...args);
    expect(python.cells[1]?.source).toBe("# Parameters\nrate = 1.0\nlayers = [1.0, 2, 1000.0]\ncount = 1\n");
    const typescript = await prepare(simple, "-l", "typescript", ...args);
    expect(typescript.cells[1]?.source).toContain("const rate = 1;\nconst layers = [1, 2, 1000];\n");
    const later = await prepare(simple, "-k", "python3", "-y", "rate: 1.0", "-p", "rate", "1");
    expect(later.cells[1]?.source).toContain("rate = 1\n");
  });

  it("of a notebook that declares none comes first, and a warning says so (C2)", async () => {
    const notebook = await prepare(bare, "-p", "msg", "Hello");
    expect(notebook.cells[0]?.metadata.tags).toEqual(["injected-parameters"]);
    expect(notebook.err).toContain('no cell tagged "parameters"');
    expect(notebook.err).toContain("Passed unknown parameter: msg");
  });

  it.each([
    ["msg", '"Hello"', String.raw`msg = "\"Hello\""`],
    ["foo", String.raw`do\ not\ crash`, String.raw`foo = "do\\ not\\ crash"`],
    ["foo", String.raw`bar=\"baz\"`, String.raw`foo = "bar=\\\"baz\\\""`],
    ["foo", String.raw`\\"bar\\"`, String.raw`foo = "\\\\\"bar\\\\\""`],
  ])("%s with quotes and backslashes, %s, stays what it was (C3)", async (name, value, line) => {
    const notebook = await prepare(simple, "-r", name, value);
    expect(notebook.cells[1]?.source).toBe(`# Parameters\n${line}\n`);
    expect(parametersOf(notebook)).toEqual({ [name]: value });
  });

  it("can be prepared for a notebook that has failed, and needs no kernel for it (C4, C5)", async () => {
    const broken = notebookOf(["raise ValueError"], "no-such-kernel", "none");
    codeCells(broken)[0]?.outputs.push({ output_type: "error", ename: "E", evalue: "", traceback: [] });
    writeFileSync(at("broken.ipynb"), formatNotebook(broken));
    const notebook = await prepare(at("broken.ipynb"), "-l", "python", "-r", "foo", "x");
    expect(notebook.cells[0]?.source).toBe('# Parameters\nfoo = "x"\n');
  });

  it("replaces the one of an earlier run (C28)", async () => {
    await prepare(simple, "-p", "msg", "Hello");
    const again = await prepare(at("out.ipynb"), "-p", "msg", "Bye");
    expect(again.cells.map((cell) => cell.source).slice(0, 2)).toEqual([
      "msg = None",
      '# Parameters\nmsg = "Bye"\n',
    ]);
    expect(again.cells).toHaveLength(4);
  });

  it.each([
    ["True", true],
    ["False", false],
    ["None", null],
    ["12.51", 12.51],
    ["10", 10],
    ["😍", "😍"],
  ])("%s on the command line has the type it looks like (C15)", async (text, value) => {
    expect(parametersOf(await prepare(simple, "-p", "a", text))).toEqual({ a: value });
  });

  it("given raw is text (C16)", async () => {
    const notebook = await prepare(simple, "-r", "baz", "42");
    expect(parametersOf(notebook)).toEqual({ baz: "42" });
    expect(notebook.cells[1]?.source).toContain('baz = "42"');
  });

  it("can come from files, of which the last one wins, and dates stay text (C17)", async () => {
    writeFileSync(
      at("example.yaml"),
      "foo: 12345\nbar: value\nbaz:\n  k2: v2\n  k1: v1\na_date: 2019-01-01\n",
    );
    writeFileSync(at("example.json"), '{"foo": 54321, "ft2": 2.5}');
    const notebook = await prepare(simple, "-f", at("example.yaml"), "--parameters_file", at("example.json"));
    expect(parametersOf(notebook)).toEqual({
      foo: 54321,
      bar: "value",
      baz: { k2: "v2", k1: "v1" },
      a_date: "2019-01-01",
      ft2: 2.5,
    });
  });

  it("can come from YAML, with lists, dates as text and YAML 1.1's booleans (C18)", async () => {
    const first = "{foo: bar, foo2: [1, {x: y}], a_date: 2019-01-01}";
    const notebook = await prepare(simple, "-y", first, "-y", "{foo: baz, on_: yes, off_: off}");
    expect(parametersOf(notebook)).toEqual({
      foo: "baz",
      foo2: [1, { x: "y" }],
      a_date: "2019-01-01",
      on_: true,
      off_: false,
    });
  });

  it("is not made of files and texts that hold nothing (C19)", async () => {
    writeFileSync(at("empty.yaml"), "# nothing\n");
    const notebook = await prepare(simple, "-f", at("empty.yaml"), "-y", "#empty", "-b", "I2VtcHR5");
    expect(notebook.cells).toHaveLength(3);
    expect(parametersOf(notebook)).toEqual({});
  });

  it("can come from base64 of YAML (C20)", async () => {
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const args = ["-b", base64("foo: 1\na_date: 2019-01-01"), "-b", base64("bar: 2")];
    expect(parametersOf(await prepare(simple, ...args))).toEqual({ foo: 1, a_date: "2019-01-01", bar: 2 });
  });

  it("given in every way is taken in papermill's order: base64, files, YAML, typed, raw (C21)", async () => {
    writeFileSync(at("f.yaml"), "a: file\nb: file\nc: file\nd: file\n");
    const args = [
      "-r",
      "a",
      "1",
      "-p",
      "a",
      "2",
      "-p",
      "b",
      "3",
      "-y",
      "{b: yaml, c: yaml}",
      "-f",
      at("f.yaml"),
    ];
    const all = Buffer.from("{a: b64, e: b64, d: b64}").toString("base64");
    const notebook = await prepare(simple, ...args, "-b", all);
    expect(parametersOf(notebook)).toEqual({ a: "1", b: 3, c: "yaml", d: "file", e: "b64" });
  });

  it.each([
    ["--inject-input-path", ["PAPERMILL_INPUT_PATH"]],
    ["--inject-output-path", ["PAPERMILL_OUTPUT_PATH"]],
    ["--inject-paths", ["PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"]],
  ])("tells the notebook its paths with %s (C22)", async (flag, names) => {
    const paths = { PAPERMILL_INPUT_PATH: simple, PAPERMILL_OUTPUT_PATH: at("out.ipynb") };
    const expected = Object.entries(paths).filter(([name]) => names.includes(name));
    expect(parametersOf(await prepare(simple, flag))).toEqual(Object.fromEntries(expected));
  });

  it("fills the paths that name it, and one that is missing is told (C27)", async () => {
    const { code } = await run(
      simple,
      at("{msg}-{n:02d}.ipynb"),
      "--prepare-only",
      "-p",
      "msg",
      "hi",
      "-p",
      "n",
      "7",
    );
    expect(code).toBe(0);
    expect(parametersOf(readNotebook(at("hi-07.ipynb")))).toEqual({ msg: "hi", n: 7 });
    expect(await run(simple, at("{foo}.ipynb"), "--prepare-only")).toMatchObject({
      code: 1,
      err: "Missing parameter 'foo'",
    });
  });
});

describe("a notebook of another age or make", () => {
  it("of format 4.4 is brought to 4.5, with a valid id for every cell (C13)", async () => {
    const cell = {
      cell_type: "code",
      metadata: {},
      source: ["x = 1\n", "x"],
      outputs: [],
      execution_count: null,
    };
    const metadata = { kernelspec: { name: "python3", display_name: "Python", language: "python" } };
    writeFileSync(
      at("4.4.ipynb"),
      JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells: [cell, cell] }),
    );
    const written = await prepare(at("4.4.ipynb"), "-p", "var", "x");
    expect(written.nbformat_minor).toBe(5);
    const ids = written.cells.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => /^[\w-]{1,64}$/.test(id))).toBe(true);
  });

  it("without kernelspec and without language is fine once both are named (C14)", async () => {
    const blank = { nbformat: 4, nbformat_minor: 2, metadata: { orig_nbformat: 4 }, cells: [] };
    writeFileSync(at("blank.ipynb"), JSON.stringify(blank));
    const written = await prepare(at("blank.ipynb"), "-k", "python3", "-l", "python", "-p", "var", "x");
    expect(written.cells.map((cell) => cell.source)).toEqual(['# Parameters\nvar = "x"\n']);
    expect(written.metadata.kernelspec).toBeUndefined();
  });

  it("shows no code in report mode, the injected cell included (C8)", async () => {
    const written = await prepare(simple, "--report-mode", "-p", "a", "0");
    const hidden = codeCells(written).map((cell) => cell.metadata["jupyter"]);
    expect(hidden).toEqual(hidden.map(() => ({ source_hidden: true })));
    expect(hidden.length).toBeGreaterThan(1);
  });

  it("is told of, and the version that ran it last is noted", async () => {
    const notebook = notebookOf(["x"], "python3", "python");
    notebook.metadata["papermill"] = { version: "0.0.0", parameters: { old: 1 } };
    writeFileSync(at("old.ipynb"), formatNotebook(notebook));
    const written = await prepare(at("old.ipynb"));
    expect(written.metadata["papermill"]).toMatchObject({ parameters: { old: 1 } });
    expect(written.metadata["papermill"]).not.toMatchObject({ version: "0.0.0" });
    expect(written.err).toBe(`Input Notebook:  ${at("old.ipynb")}\nOutput Notebook: ${at("out.ipynb")}`);
    expect((await prepare(at("old.ipynb"), "--log-level", "WARNING")).err).toBe("");
  });
});

describe("--help-notebook (C26)", () => {
  const help = async (path: string) => {
    const { code, out } = await run("--help-notebook", path);
    const head = `Usage: papermill-ts [OPTIONS] NOTEBOOK_PATH [OUTPUT_PATH]\n\nParameters inferred for notebook '${path}':\n`;
    expect(out.startsWith(head)).toBe(true);
    return { code, page: out.slice(head.length).split("\n") };
  };

  it("shows names, types, defaults and help in papermill's columns", async () => {
    const source =
      "msg = None\na: float = 2.25  # Variable a\nb = [  # no\n 'Hello',\n 'World'\n]  # type: List[str] Nice list\nc: NoneType = None\n";
    expect(await help(save("complex.ipynb", [[source, "parameters"]]))).toEqual({
      code: 0,
      page: [
        "  msg: Unknown type (default None)",
        "  a: float (default 2.25)         Variable a",
        "  b: List[str] (default ['Hello','World'])",
        "                                  Nice list",
        "  c: NoneType (default None)      ",
      ],
    });
  });

  it("ends with 1 when no cell is tagged, and says what it cannot read", async () => {
    expect(await help(bare)).toEqual({ code: 1, page: ["", "  No cell tagged 'parameters'"] });
    const { code, page } = await help(save("r.ipynb", [["msg = NULL", "parameters"]], "R"));
    expect([code, page[1]]).toEqual([
      0,
      "  Can't infer anything about this notebook's parameters. It may not have any parameter defined.",
    ]);
  });
});

describe("bad input ends with 1 and one line", () => {
  const out = at("never.ipynb");
  it.each([
    [
      "an engine that is not there",
      ["--engine", "nope"],
      "no engine named 'nope' (found papermill-ts, nbclient)",
    ],
    ["a kernel that is not there", ["-k", "nope"], "no such kernel: nope (found "],
    ["a parameter file that is not there", ["-f", at("none.yaml")], "cannot read the parameter file"],
    ["a parameter file that is no YAML", ["-f", at("bad.yaml")], "bad.yaml is not YAML"],
    ["parameters that are a list", ["-y", "[1]"], "is not a mapping of names to values: got a list"],
    ["parameters that are a number", ["-y", "5"], "is not a mapping of names to values: got a number"],
    ["parameters of many lines", ["-y", "- a\n- b"], 'the YAML parameters "- a …" is not a mapping'],
    ["a file for text in no folder", ["--stdout-file", at("no/x"), "-k", "python3"], "cannot be written"],
    ["a working directory that is not there", ["--cwd", at("no"), "-k", "python3"], "does not exist"],
  ])("%s", async (_, args, message) => {
    writeFileSync(at("bad.yaml"), "a: [1\n");
    const { code, err } = await run(simple, out, "--log-level", "ERROR", ...args);
    expect([code, err.split("\n").length]).toEqual([1, 1]);
    expect(err).toContain(`papermill-ts: `);
    expect(err).toContain(message);
  });

  it.each([
    ["{", "it is not JSON"],
    ["[]", "without the field nbformat"],
    ['{"nbformat": 3, "worksheets": []}', "has nbformat 3, expected 4"],
    ['{"nbformat": 4, "cells": [], "metadata": {}}', "names no kernel"],
  ])("a file with %s", async (text, message) => {
    writeFileSync(at("bad.ipynb"), text);
    const { code, err } = await run(at("bad.ipynb"), out);
    expect([code, err.split("\n").length]).toEqual([1, 1]);
    expect(err).toContain(message);
  });

  it("an output whose folder is not there, which is a folder, or whose scheme nobody knows", async () => {
    for (const bad of [at("no/out.ipynb"), folder, "adl://x/y.ipynb"]) {
      const { code, err } = await run(simple, bad, "-k", "python3");
      expect([code, err.split("\n").length]).toEqual([1, 1]);
    }
    expect(() => readFileSync(out)).toThrow("ENOENT");
    expect(parseNotebook(readFileSync(simple, "utf8"), "x").cells).toHaveLength(3);
  });
});
