import katex from "@vscode/markdown-it-katex";
import MarkdownIt from "markdown-it";
import { stripVTControlCharacters } from "node:util";
import sanitizeHtml from "sanitize-html";
import type { Json, Output } from "../jupyter";
import { escapeHtml } from "./page";

/** Longer texts are cut: a page is for reading, the notebook has all of it. */
const MAX_TEXT = 50_000;

// MathML needs neither fonts nor a style sheet, so equations show without a network. Raw HTML in Markdown stays text.
const markdown = new MarkdownIt({ linkify: true }).use(katex, {
  output: "mathml",
  throwOnError: false,
} as Parameters<typeof katex>[1]);

/** Markdown with equations as HTML. */
export function renderMarkdown(source: string): string {
  return markdown.render(source);
}

/** HTML from a notebook's output without anything that runs, loads or restyles the page around it. */
export function sanitize(html: string): string {
  return sanitizeHtml(html, {
    allowedTags: [
      ...sanitizeHtml.defaults.allowedTags,
      "caption",
      "details",
      "figcaption",
      "figure",
      "img",
      "summary",
    ],
    allowedAttributes: {
      "*": ["class", "style", "title", "lang", "dir"],
      a: ["href"],
      img: ["src", "alt", "width", "height"],
      td: ["colspan", "rowspan"],
      th: ["colspan", "rowspan", "scope"],
    },
    allowedSchemes: ["http", "https", "mailto"],
    allowedSchemesByTag: { img: ["data"] },
    allowedStyles: {
      "*": {
        "text-align": [/^(left|right|center)$/],
        "font-weight": [/^(normal|bold|[1-9]00)$/],
        color: [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d.,% ]+\)$/, /^[a-z]+$/],
        "background-color": [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d.,% ]+\)$/, /^[a-z]+$/],
      },
    },
    nonTextTags: ["script", "style", "textarea", "option", "noscript", "head", "title"],
  });
}

/** What a code cell showed; of several forms of the same content the first that a plain page can show. */
export function renderOutputs(outputs: readonly Output[]): string {
  return outputs
    .map((output) => {
      if (output.output_type === "stream") return pre(output.text, output.name === "stderr" ? "stderr" : "");
      if (output.output_type === "error") {
        const trace = output.traceback.join("\n") || `${output.ename}: ${output.evalue}`;
        return pre(trace, "error");
      }
      return renderBundle(output.data);
    })
    .filter((html) => html !== "")
    .map((html) => `<div class="output">${html}</div>`)
    .join("\n");
}

function renderBundle(data: Readonly<Record<string, Json>>): string {
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
  if (html !== undefined) return sanitize(html);
  const words = text("text/markdown") ?? text("text/latex");
  if (words !== undefined) return renderMarkdown(words);
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
  return `<pre${kind ? ` class="${kind}"` : ""}>${escapeHtml(cut)}</pre>`;
}
