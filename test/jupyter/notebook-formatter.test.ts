import { expect, it } from "vitest";
import { formatNotebook, NotebookFormatter, type CodeCell } from "../../src/jupyter/index.js";
import { notebookOf } from "../papermill/notebooks.js";

it("a notebook written cell by cell is, byte for byte, the notebook written at once", () => {
  const notebook = notebookOf(["# Title\n\nText", 'const a = "\\n  \\" $& $1";\n', ["x", "tag"], ""]);
  notebook.metadata["odd"] = { cells: [], deep: [[], {}, "a\nb"] };
  const code = notebook.cells[1] as CodeCell;
  code.outputs.push(
    { output_type: "stream", name: "stdout", text: "one\ntwo\n\n  three" },
    { output_type: "display_data", data: { "text/html": "<b>\n</b>", "application/json": [] }, metadata: {} },
  );
  const formatter = new NotebookFormatter();
  expect(formatter.format(notebook)).toBe(formatNotebook(notebook));
  code.outputs.length = 0;
  code.source = "changed";
  formatter.changed(code);
  notebook.cells.push({ cell_type: "raw", id: "new", metadata: {}, source: "raw\n" });
  expect(formatter.format(notebook)).toBe(formatNotebook(notebook));
  expect(formatter.format(notebookOf([]))).toBe(formatNotebook(notebookOf([])));
});

it("a cell is not written anew before somebody says that it has changed", () => {
  const notebook = notebookOf(["a"]);
  const formatter = new NotebookFormatter();
  const before = formatter.format(notebook);
  (notebook.cells[0] as CodeCell).source = "b";
  expect(formatter.format(notebook)).toBe(before);
});
