import { describe, expect, it } from "vitest";
import type { CodeCell } from "../../src/jupyter/index.js";
import { errorFromStderr } from "../../src/papermill/cell-errors.js";
import { codeCells, notebookOf, printed } from "./notebooks.js";

/** The error made of these messages on stderr, and what is left of the stream. */
function errorFrom(messages: string[]) {
  const cell = codeCells(notebookOf(["x"]))[0] as CodeCell;
  cell.outputs.push({ output_type: "stream", name: "stderr", text: messages.join("") });
  return { error: errorFromStderr(cell, messages, "error"), left: printed(cell, "stderr") };
}

describe("errors that a kernel tells on stderr only", () => {
  it("of a run have the error's name and message, and the stack as traceback", () => {
    const stack =
      "evalmachine.<anonymous>:3\n  throw x;\n  ^\n\nTypeError: bad: 3\nsecond line\n    at f (x:1:2)\n";
    const { error, left } = errorFrom(["a note\n", stack]);
    expect(error).toMatchObject({ ename: "TypeError", evalue: "bad: 3\nsecond line" });
    expect(error.traceback.join("\n")).toContain("at f (x:1:2)");
    expect(left).toBe("a note\n");
  });

  it.each([
    ["Error [ERR_X]: no\n    at a\n", "Error", "no"],
    ["RangeError: \n    at a\n", "RangeError", ""],
    ["Uncaught ReferenceError: a is not defined\n    at b\n", "ReferenceError", "a is not defined"],
    ["just text\n", "Thrown", "just text"],
  ])("of the form %j are understood", (text, ename, evalue) => {
    expect(errorFrom([text]).error).toMatchObject({ ename, evalue });
  });

  it("show the cell's frames and the library's, not the kernel's", () => {
    const frames = ["f (evalmachine.<anonymous>:1:2)", "g (/p/dist/src/model/gpt2.js:3:4)"];
    const around = [
      "Script.runInThisContext (node:vm:135:14)",
      "execute (/p/node_modules/tslab/dist/executor.js:1:1)",
    ];
    const stack = [...frames, ...around].map((frame) => `\n    at ${frame}`).join("");
    expect(errorFrom([`Error: x${stack}\n`]).error.traceback).toEqual([
      "Error: x",
      ...frames.map((frame) => `    at ${frame}`),
    ]);
  });

  it("of types are all taken, one message each", () => {
    const { error, left } = errorFrom(["note\n", "1:7 - Type A.\n", "2:1 - Type B.\n"]);
    expect(error).toMatchObject({ ename: "TypeScriptError", evalue: "1:7 - Type A.; 2:1 - Type B." });
    expect(error.traceback).toEqual(["1:7 - Type A.", "2:1 - Type B."]);
    expect(left).toBe("note\n");
  });

  it("that were not told at all say what the kernel answered", () => {
    expect(errorFrom([]).error).toMatchObject({ ename: "CellFailed" });
    expect(errorFrom([]).error.evalue).toContain('answered "error"');
  });
});
