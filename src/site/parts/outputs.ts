import { stripVTControlCharacters } from "node:util";
import type { Json, Output } from "jupyter-wire";
import { exhibitOf } from "../exhibits.js";
import { escape as escapeHtml } from "html-escaper";
import { renderMarkdown } from "../html/markdown.js";
import { sanitize } from "../html/sanitize.js";
import type { Site } from "../site.js";
import { type ExhibitOptions, renderExhibit } from "./exhibit.js";

/** Longer texts are cut: a page is for reading, the notebook has all of it. */
const MAX_TEXT = 50_000;

/** What a code cell showed: figures and tables of the run as such, of anything else the first form that a page can show. */
export function renderOutputs(
  outputs: readonly Output[],
  site: Site,
  options: ExhibitOptions,
  shown: Set<string>,
): string {
  return outputs
    .map((output) => renderExhibitOf(output, site, options, shown) ?? renderOutput(output))
    .filter((html) => html !== "")
    .join("\n");
}

/** A figure or table that the run keeps, once in a page: its anchor is one. */
function renderExhibitOf(
  output: Output,
  site: Site,
  options: ExhibitOptions,
  shown: Set<string>,
): string | undefined {
  const mark = exhibitOf(output);
  if (!mark || shown.has(mark.kind + mark.name)) return undefined;
  const exhibit = site.run.exhibits.find(({ kind, name }) => kind === mark.kind && name === mark.name);
  if (!exhibit) return undefined;
  shown.add(mark.kind + mark.name);
  return renderExhibit(exhibit, site, options);
}

function renderOutput(output: Output): string {
  const html = contentOf(output);
  return html === "" ? "" : `<div class="output">${html}</div>`;
}

function contentOf(output: Output): string {
  if (output.output_type === "stream") return pre(output.text, output.name === "stderr" ? "stderr" : "");
  if (output.output_type === "error") {
    return pre(output.traceback.join("\n") || `${output.ename}: ${output.evalue}`, "error");
  }
  return renderBundle(output.data);
}

function renderBundle(data: Readonly<Record<string, Json | undefined>>): string {
  const text = (mime: string): string | undefined => {
    const value = data[mime];
    return typeof value === "string" ? value : undefined;
  };
  const svg = text("image/svg+xml");
  // As a picture an SVG can run no script and load nothing.
  if (svg !== undefined)
    return picture("image/svg+xml", Buffer.from(svg).toString("base64"), text("text/plain"));
  for (const mime of ["image/png", "image/jpeg"]) {
    const base64 = text(mime);
    if (base64 !== undefined) return picture(mime, base64.replace(/\s/g, ""), text("text/plain"));
  }
  const html = text("text/html");
  if (html !== undefined) return `<div class="scroll" tabindex="0">${sanitize(html)}</div>`;
  const words = text("text/markdown") ?? text("text/latex");
  if (words !== undefined) return renderMarkdown(words).html;
  const plain = text("text/plain");
  if (plain !== undefined) return pre(plain, "");
  const json = data["application/json"];
  return json === undefined ? "" : pre(JSON.stringify(json, null, 2), "");
}

function picture(mime: string, base64: string, alternative = "figure"): string {
  const alt = escapeHtml(alternative.slice(0, 300));
  return `<img src="data:${mime};base64,${escapeHtml(base64)}" alt="${alt}">`;
}

function pre(text: string, kind: string): string {
  const plain = stripVTControlCharacters(text).trimEnd();
  if (plain === "") return "";
  const cut =
    plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT)}\n… (cut; the notebook has all of it)` : plain;
  return `<pre tabindex="0"${kind ? ` class="${kind}"` : ""}>${escapeHtml(cut)}</pre>`;
}
