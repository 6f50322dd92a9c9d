import { describe, expect, it } from "vitest";
import { executeNotebook, type ExecuteOptions, type RunnerEvent } from "../../src/papermill/index.js";
import { codeCells, notebookOf, type CellSpec } from "./notebooks.js";

async function prepare(cells: readonly CellSpec[], options: ExecuteOptions, language = "typescript") {
  const warnings: string[] = [];
  const onEvent = (event: RunnerEvent) => void (event.type === "warning" && warnings.push(event.message));
  const notebook = await executeNotebook(notebookOf(cells, "any", language), null, {
    ...options,
    prepareOnly: true,
    onEvent,
  });
  return { notebook, warnings };
}

describe("injecting parameters, without a kernel", () => {
  it("puts only what was given right after the first parameters cell, which stays as it is", async () => {
    const cells: CellSpec[] = ["# Title", ['const a: string = "x";\nlet b = 2;', "parameters"], "a"];
    const { notebook, warnings } = await prepare(cells, { parameters: { a: "y" } });
    expect(notebook.cells.map((cell) => cell.source)).toEqual([
      "# Title",
      'const a: string = "x";\nlet b = 2;',
      '// Parameters\nconst a: string = "y";\n',
      "a",
    ]);
    expect(notebook.cells[2]?.metadata.tags).toEqual(["injected-parameters"]);
    expect(notebook.metadata["papermill"]).toMatchObject({
      parameters: { a: "y" },
      default_parameters: {},
      environment_variables: {},
      input_path: null,
    });
    expect(warnings).toEqual([]);
  });

  it("replaces the cell of an earlier injection", async () => {
    const cells: CellSpec[] = [["let a = 1", "parameters"], "a", ["let a = 2", "injected-parameters"]];
    const { notebook } = await prepare(cells, { parameters: { a: 3 } });
    expect(notebook.cells.map((cell) => cell.source)).toEqual([
      "let a = 1",
      "a",
      "// Parameters\nlet a = 3;\n",
    ]);
  });

  it("without a parameters cell puts them first and warns", async () => {
    const { notebook, warnings } = await prepare(["a"], { parameters: { a: 1 } });
    expect(notebook.cells[0]?.source).toBe("// Parameters\nconst a = 1;\n");
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toBe("Passed unknown parameter: a");
  });

  it("without parameters injects nothing and keeps an earlier injection", async () => {
    const cells: CellSpec[] = [
      ["let a = 1", "parameters"],
      ["let a = 2", "injected-parameters"],
    ];
    const { notebook } = await prepare(cells, { parameters: {} });
    expect(notebook.cells).toHaveLength(2);
  });

  it("writes the language that the notebook, or the caller, names", async () => {
    const python = await prepare([["a = 1", "parameters"]], { parameters: { a: null } }, "python");
    expect(python.notebook.cells[1]?.source).toBe("# Parameters\na = None\n");
    const named = await prepare(["x"], { parameters: { a: null }, language: "python" });
    expect(named.notebook.cells[0]?.source).toBe("# Parameters\na = None\n");
  });

  it("refuses languages and names that cannot be, in one line", async () => {
    await expect(prepare(["x"], { parameters: { a: 1 } }, "cobol")).rejects.toThrow(/language "cobol"/);
    await expect(prepare(["x"], { parameters: { "a b": 1 } })).rejects.toThrow('"a b" cannot be the name');
  });

  it("leaves the caller's notebook alone, and saved errors do not matter", async () => {
    const mine = notebookOf(["x"]);
    codeCells(mine)[0]?.outputs.push({ output_type: "error", ename: "E", evalue: "", traceback: [] });
    const copy = structuredClone(mine);
    await executeNotebook(mine, null, { prepareOnly: true, parameters: { a: 1 } });
    expect(mine).toEqual(copy);
  });

  it("keeps in the metadata what JSON cannot say, as text", async () => {
    const parameters = { n: NaN, big: 2n ** 64n, none: undefined, list: [Infinity] };
    const { notebook } = await prepare(["x"], { parameters });
    expect(notebook.metadata["papermill"]).toMatchObject({
      parameters: { n: "NaN", big: "18446744073709551616", none: null, list: ["Infinity"] },
    });
  });

  it("hides the input of code cells in report mode and keeps what else front ends noted there", async () => {
    const own = notebookOf(["# Text", "x"]);
    const code = codeCells(own)[0];
    if (code) code.metadata["jupyter"] = { outputs_hidden: false };
    const hidden = await executeNotebook(own, null, { prepareOnly: true, reportMode: true });
    expect(hidden.cells[1]?.metadata["jupyter"]).toEqual({ outputs_hidden: false, source_hidden: true });
    expect(hidden.cells[0]?.metadata["jupyter"]).toBeUndefined();
  });
});
