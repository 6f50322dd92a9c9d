import { escape as escapeHtml } from "html-escaper";
import { address } from "../html/escape.js";
import type { Heading } from "../html/markdown.js";
import type { RunNotebook } from "../exhibits.js";
import type { Run } from "../run.js";

/** The bar above every page: the way home, search, and the switches. They do nothing without scripts, so scripts show them. */
export function headerBar(run: Run): string {
  return `<header class="bar">
<a class="home" href="index.html">alignscope <span class="quiet">${escapeHtml(run.manifest.profile)}</span></a>
<a class="to-contents" href="#contents">Contents</a>
<div class="tools" hidden>
<search class="search"><label class="sr-only" for="search">Search all pages</label><input id="search" type="search" placeholder="Search  /" autocomplete="off" role="combobox" aria-expanded="false" aria-controls="search-results" aria-autocomplete="list"><ul id="search-results" role="listbox" aria-label="Search results" hidden></ul></search>
<button type="button" id="all-code" aria-pressed="false">Code</button>
<button type="button" id="words" aria-pressed="false">Show words</button>
<button type="button" id="theme">Theme</button>
</div>
</header>
<dialog id="word-warning" aria-labelledby="word-warning-title">
<h2 id="word-warning-title">Show offensive words?</h2>
<p>The study measures toxicity. Its data contain insults, slurs and sexual words; they are starred out unless you ask for them, and stay shown until you close this tab.</p>
<form method="dialog"><button value="cancel">Keep them starred</button> <button value="show">Show them</button></form>
</dialog>`;
}

/** The list of all pages, with the sections of the one that is read. */
export function contents(run: Run, current: string, headings: readonly Heading[] = []): string {
  const item = (file: string, text: string): string => {
    const here = file === current;
    const sections = here ? sectionList(headings) : "";
    return `<li><a href="${address(file)}"${here ? ' aria-current="page"' : ""}>${escapeHtml(text)}</a>${sections}</li>`;
  };
  const pages = [
    item("index.html", "The study"),
    ...(run.claims ? [item("claims.html", "The paper’s claims")] : []),
    item("exhibits.html", "Figures and tables"),
    ...run.notebooks.map(({ file, section, title }) => item(file, `${section} ${title}`)),
    item("report.html", "All on one page, for print"),
  ];
  return `<nav id="contents" aria-label="Contents">\n<ol>\n${pages.join("\n")}\n</ol>\n</nav>`;
}

function sectionList(headings: readonly Heading[]): string {
  const sections = headings.filter(({ level }) => level === 2);
  if (sections.length === 0) return "";
  return `\n<ol>${sections.map(({ id, text }) => `<li><a href="#${id}">${escapeHtml(plainMath(text))}</a></li>`).join("")}</ol>`;
}

/** An equation in a heading as words: `$W_{\mathrm{toxic}}$` is W_toxic. */
export function plainMath(text: string): string {
  return text
    .replace(/\\(?:mathrm|text|operatorname)\{([^}]*)\}/g, "$1")
    .replace(/[{}$]/g, "")
    .replace(/\\(\w+)/g, "$1");
}

/** The notebooks before and after one. */
export function neighbours(run: Run, current: RunNotebook): string {
  const position = run.notebooks.indexOf(current);
  const link = (notebook: RunNotebook | undefined, rel: "prev" | "next"): string => {
    if (!notebook) return "<span></span>";
    const text = `${notebook.section} ${notebook.title}`;
    return `<a rel="${rel}" href="${address(notebook.file)}">${escapeHtml(rel === "prev" ? `← ${text}` : `${text} →`)}</a>`;
  };
  return `<nav class="neighbours" aria-label="Previous and next">${link(run.notebooks[position - 1], "prev")}${link(run.notebooks[position + 1], "next")}</nav>`;
}
