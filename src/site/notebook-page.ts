import { type Cell, hasTag, type Notebook } from "../jupyter";
import { renderMarkdown, renderOutputs, sanitize } from "./outputs";
import { escapeHtml } from "./page";

/** A cell is found in its page as `#cell-ID`. */
export const CELL_ANCHOR = "cell-";

/** An executed notebook as HTML: its text, what its cells showed, and their code one click away. */
export function renderNotebook(notebook: Notebook): string {
  return notebook.cells
    .map((cell) => {
      const html = renderCell(cell).trim();
      return html && `<div id="${CELL_ANCHOR}${escapeHtml(cell.id)}">\n${html}\n</div>`;
    })
    .join("\n");
}

function renderCell(cell: Cell): string {
  if (cell.cell_type === "raw") return "";
  if (cell.cell_type === "markdown") {
    // The runner marks a failure with HTML of its own; everywhere else HTML in text is shown as text.
    return hasTag(cell, "papermill-error-cell-tag") ? sanitize(cell.source) : renderMarkdown(cell.source);
  }
  const source = cell.source.trim();
  const code =
    source &&
    `<details class="code"><summary>${escapeHtml(summaryOf(cell, source))}</summary><pre>${escapeHtml(source)}</pre></details>`;
  return `${code}\n${renderOutputs(cell.outputs)}`;
}

function summaryOf(cell: Cell, source: string): string {
  if (hasTag(cell, "parameters")) return "Parameters and their defaults";
  if (hasTag(cell, "injected-parameters")) return "Parameters of this run";
  const statements = source.replace(/^import\b[^;]*;\n?/gm, "").trim();
  return statements ? `Code: ${statements.split("\n")[0] ?? ""}` : "Code: imports";
}
