import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../src/base/errors.js";
import { formatNotebook, parseNotebook, readNotebook, writeNotebook } from "../../src/jupyter/index.js";

const folder = mkdtempSync(join(tmpdir(), "notebook-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

const old = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 2,
  metadata: { kernelspec: { name: "alignscope" }, kept: [1] },
  cells: [
    { cell_type: "markdown", metadata: {}, source: ["# A\n", "b"] },
    {
      cell_type: "code",
      metadata: {},
      source: "1",
      execution_count: 1,
      outputs: [
        { output_type: "stream", name: "stdout", text: ["a\n", "b\n"] },
        {
          output_type: "display_data",
          metadata: {},
          data: {
            "text/html": ["<p>\n", "</p>"],
            "application/json": ["kept", "apart"],
            "image/png": "AAAA",
          },
        },
      ],
    },
    { cell_type: "code", metadata: {}, source: "1", execution_count: null, outputs: [] },
  ],
});

describe("notebook files", () => {
  it("of older minors are upgraded to 4.5 with cell ids that are unique and the same each time", () => {
    const notebook = parseNotebook(old, "old");
    expect(notebook.nbformat_minor).toBe(5);
    const ids = notebook.cells.map((cell) => cell.id);
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => /^[a-zA-Z0-9_-]{1,64}$/.test(id))).toBe(true);
    expect(parseNotebook(old, "old").cells.map((cell) => cell.id)).toEqual(ids);
  });

  it("hold text as strings in memory and as lists of lines on disk; JSON data stays as it is", () => {
    const notebook = parseNotebook(old, "old");
    const [text, code] = notebook.cells;
    expect(text?.source).toBe("# A\nb");
    if (code?.cell_type !== "code") throw new Error("expected a code cell");
    expect(code.outputs[0]).toMatchObject({ text: "a\nb\n" });
    expect(code.outputs[1]).toMatchObject({
      data: { "text/html": "<p>\n</p>", "application/json": ["kept", "apart"], "image/png": "AAAA" },
    });
    const written = JSON.parse(formatNotebook(notebook)) as {
      cells: { source: unknown; outputs: unknown[] }[];
    };
    expect(written.cells[0]?.source).toEqual(["# A\n", "b"]);
    expect(written.cells[1]?.outputs[1]).toMatchObject({ data: { "application/json": ["kept", "apart"] } });
  });

  it("come back from disk unchanged, in Jupyter's layout", () => {
    const path = join(folder, "copy.ipynb");
    const notebook = parseNotebook(old, "old");
    writeNotebook(path, notebook);
    expect(readNotebook(path)).toEqual(notebook);
    const text = readFileSync(path, "utf8");
    expect(text.startsWith('{\n "cells": [\n  {\n   "cell_type": "markdown"')).toBe(true);
    expect(text.endsWith("}\n")).toBe(true);
  });

  it.each([
    ["not JSON", "{", "is not JSON"],
    ["JSON of something else", "[]", "without the field nbformat"],
    ["format 3", '{"nbformat":3,"worksheets":[]}', "has nbformat 3, expected 4"],
    ["a cell of an unknown kind", '{"nbformat":4,"cells":[{"cell_type":"x"}]}', 'cell 0 has cell_type "x"'],
    ["cells that are no list", '{"nbformat":4,"cells":{}}', "the field cells is not a list"],
  ])("that are %s are refused in one line", (_what, text, message) => {
    const path = join(folder, "bad.ipynb");
    writeFileSync(path, text);
    let thrown: unknown;
    try {
      readNotebook(path);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UserError);
    expect((thrown as Error).message).toContain(message);
    expect((thrown as Error).message).not.toContain("\n");
  });

  it("that are missing are named", () => {
    expect(() => readNotebook(join(folder, "none.ipynb"))).toThrow(
      `no such notebook: ${join(folder, "none.ipynb")}`,
    );
  });
});
