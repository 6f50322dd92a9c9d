import { type Cell, hasTag } from "jupyter-wire";
import { escape as escapeHtml } from "html-escaper";
import { type Heading, type Passage, passagesOf, renderMarkdown } from "../html/markdown.js";
import { sanitize } from "../html/sanitize.js";
import type { RunNotebook } from "../exhibits.js";
import { CELL_ANCHOR } from "../run.js";
import type { Site } from "../site.js";
import { renderOutputs } from "./outputs.js";

/** How a notebook is shown. */
export interface CellOptions {
  /** with code, switches and files; the printed report has none of them */
  interactive: boolean;
  /** before every anchor, where a page shows several notebooks */
  prefix?: string;
}

/** A notebook as HTML: its text, what its cells showed, and their code one click away. */
export interface RenderedNotebook {
  html: string;
  headings: Heading[];
  /** Its text in pieces to search for. */
  passages: Passage[];
}

/** Renders the cells of a notebook in order. */
export function renderCells({ notebook }: RunNotebook, site: Site, options: CellOptions): RenderedNotebook {
  const { prefix = "" } = options;
  const rendered: RenderedNotebook = { html: "", headings: [], passages: [] };
  // Names of figures and tables are anchors too, and were there first.
  const taken = new Set(site.run.exhibits.map(({ name }) => prefix + name));
  const shown = new Set<string>();
  for (const cell of notebook.cells) {
    const html = renderCell(cell, site, options, rendered, taken, shown).trim();
    if (html) rendered.html += `<div id="${escapeHtml(prefix + CELL_ANCHOR + cell.id)}">\n${html}\n</div>\n`;
  }
  return rendered;
}

function renderCell(
  cell: Cell,
  site: Site,
  options: CellOptions,
  rendered: RenderedNotebook,
  taken: Set<string>,
  shown: Set<string>,
): string {
  if (cell.cell_type === "raw") return "";
  if (cell.cell_type === "markdown") {
    // The runner marks a failure with HTML of its own; everywhere else HTML in text is shown as text.
    if (hasTag(cell, "papermill-error-cell-tag")) return sanitize(cell.source);
    const { html, headings } = renderMarkdown(cell.source, { prefix: options.prefix ?? "", taken });
    rendered.headings.push(...headings);
    rendered.passages.push(...passagesOf(cell.source, headings));
    return html;
  }
  const code = options.interactive ? codeOf(cell, site) : "";
  return `${code}\n${renderOutputs(cell.outputs, site, options, shown)}`;
}

function codeOf(cell: Cell, site: Site): string {
  const source = cell.source.trim();
  if (!source) return "";
  return `<details class="code"><summary>${escapeHtml(summaryOf(cell, source))}</summary>${site.highlight(source)}</details>`;
}

function summaryOf(cell: Cell, source: string): string {
  if (hasTag(cell, "parameters")) return "Parameters and their defaults";
  if (hasTag(cell, "injected-parameters")) return "Parameters of this run";
  const statements = source.replace(/^import\b[^;]*;\n?/gm, "").trim();
  return statements ? `Code: ${statements.split("\n")[0] ?? ""}` : "Code: imports";
}
