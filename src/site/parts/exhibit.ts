import { parse } from "csv-parse/sync";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mask, table } from "../../present/index.js";
import { maskDistinct } from "../../present/mask.js";
import { htmlMath } from "../../present/table-formats.js";
import { type Exhibit, folderOf } from "../exhibits.js";
import { escape as escapeHtml } from "html-escaper";
import { address, dataIsland } from "../html/escape.js";
import { sanitize } from "../html/sanitize.js";
import { encodeWord } from "../html/veil.js";
import { CELL_ANCHOR } from "../run.js";
import type { Site } from "../site.js";
import { besidePaperPanel } from "./beside-paper.js";

/** How an exhibit is shown. */
export interface ExhibitOptions {
  /** with files, the way to its cell, and a chart that can be pointed at; the printed report has none of them */
  interactive: boolean;
  /** before its anchor, where a page shows several notebooks */
  prefix?: string;
}

const LABELS: Record<string, string> = {
  svg: "SVG",
  png: "PNG",
  csv: "CSV",
  "vl.json": "Vega-Lite",
  html: "HTML",
  md: "Markdown",
  tex: "LaTeX",
  json: "JSON",
};

/** A figure or table with number, caption, files, the cell that made it, and what the paper has of it. */
export function renderExhibit(exhibit: Exhibit, site: Site, options: ExhibitOptions): string {
  const parts = [
    exhibit.kind === "figure" ? picture(exhibit, site, options) : rowsOf(exhibit, site),
    caption(exhibit),
    options.interactive ? links(exhibit) : "",
    options.interactive ? besidePaperPanel(exhibit, site) : "",
  ];
  const id = escapeHtml((options.prefix ?? "") + exhibit.name);
  return `<figure class="exhibit ${exhibit.kind}" id="${id}">\n${parts.filter(Boolean).join("\n")}\n</figure>`;
}

function caption({ label, title, caption: text }: Exhibit): string {
  const lead = `${label}. ${title.replace(/\.$/, "")}.`;
  return `<figcaption><strong>${htmlMath(lead)}</strong> ${htmlMath(text)}</figcaption>`;
}

/** The picture, drawn before by {@link Site.picture}; beside it, for the page's script, what an interactive one takes. */
function picture(exhibit: Exhibit, site: Site, { interactive }: ExhibitOptions): string {
  const alt = escapeHtml(mask(`${exhibit.label}: ${exhibit.title}`, { show: false }));
  const source = site.picture(exhibit);
  if (!source) return `<p class="quiet">No picture of it in this run's folder.</p>`;
  const image = `<img src="${address("figures", source.file)}" alt="${alt}"${sized(source)}${interactive ? ' loading="lazy"' : ""}>`;
  const spec = interactive ? chartData(exhibit, site) : undefined;
  if (!spec) return `<div class="chart scroll" tabindex="0">${image}</div>`;
  const id = `chart-${exhibit.name}`;
  return `<div class="chart scroll" data-chart="${escapeHtml(id)}" tabindex="0" role="group" aria-label="${alt}">${image}</div>\n${dataIsland(id, spec)}`;
}

function sized({ width, height }: { width?: number; height?: number }): string {
  return width && height ? ` width="${Math.round(width)}" height="${Math.round(height)}"` : "";
}

/**
 * The specification, with words starred out as it was drawn, and which starred text stands for which words: `words` are
 * pairs of a text in the specification and the encoded one to put there when words are shown.
 */
function chartData(exhibit: Exhibit, site: Site): { spec: object; words: [string, string][] } | undefined {
  const spec = site.specification(exhibit);
  if (!spec) return undefined;
  const csv = exhibit.files.get("csv");
  if (!csv) return { spec, words: [] };
  const rows = parse(readFileSync(join(site.run.folder, "figures", csv), "utf8"), {
    relax_column_count: true,
  });
  const texts = maskDistinct(rows.flat(), { show: false });
  return {
    spec,
    words: [...texts]
      .filter(([text, starred]) => text !== starred)
      .map(([text, starred]) => [starred, encodeWord(text)]),
  };
}

/** A table from its data, in which words are whole until the page is veiled; else as it was rendered. */
function rowsOf(exhibit: Exhibit, site: Site): string {
  const { name, title, columns, rows, files } = exhibit;
  if (columns && rows) {
    const own = table({ name, title, caption: "", columns, rows, show: true }).html();
    return `<div class="scroll" tabindex="0">${sanitize(own.replace(/<caption\b.*?<\/caption>/s, ""))}</div>`;
  }
  const html = files.get("html");
  if (!html) return "";
  return `<div class="scroll" tabindex="0">${sanitize(readFileSync(join(site.run.folder, "tables", html), "utf8"))}</div>`;
}

function links(exhibit: Exhibit): string {
  const { kind, files, place, name } = exhibit;
  const downloads = Object.keys(LABELS)
    .filter((extension) => files.has(extension) && !(kind === "figure" && extension === "json"))
    .map(
      (extension) =>
        `<li><a href="${address(folderOf(kind), files.get(extension)!)}" download>${LABELS[extension]}</a></li>`,
    );
  const cell = place
    ? `<li><a href="${address(place.notebook.file)}#${CELL_ANCHOR}${escapeHtml(encodeURIComponent(place.cell))}">the cell that made it</a></li>`
    : "";
  const anchor = place
    ? `<li><a href="${address(place.notebook.file)}#${escapeHtml(encodeURIComponent(name))}">link to this ${kind}</a></li>`
    : "";
  return `<ul class="files" aria-label="Files of ${escapeHtml(exhibit.label)}">${downloads.join("")}${cell}${anchor}</ul>`;
}
