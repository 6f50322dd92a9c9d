import type { Cell, CodeCell, Notebook } from "../../src/jupyter/index.js";

/** A cell's source, with tags or without. Text that begins with `# ` is a text cell. */
export type CellSpec = string | [source: string, ...tags: string[]];

/** A notebook in memory for the kernel of that name. */
export function notebookOf(
  cells: readonly CellSpec[],
  kernel = "alignscope",
  language = "typescript",
): Notebook {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: kernel, display_name: kernel, language } },
    cells: cells.map((spec, index): Cell => {
      const [source, ...tags] = typeof spec === "string" ? [spec] : spec;
      const base = { id: `cell-${index}`, metadata: tags.length ? { tags } : {}, source };
      return source.startsWith("# ")
        ? { ...base, cell_type: "markdown" }
        : { ...base, cell_type: "code", execution_count: null, outputs: [] };
    }),
  };
}

/** The code cells, the injected one included. */
export function codeCells(notebook: Notebook): CodeCell[] {
  return notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
}

/** What a cell printed on one stream; on stdout also its result, as text, which some kernels print as well. */
export function printed(cell: CodeCell | undefined, name: "stdout" | "stderr" = "stdout"): string {
  return (cell?.outputs ?? [])
    .map((output) => {
      if (output.output_type === "stream") return output.name === name ? output.text : "";
      if (output.output_type !== "execute_result" || name !== "stdout") return "";
      return `${String(output.data["text/plain"])}\n`;
    })
    .join("");
}
