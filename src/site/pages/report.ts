import { page } from "../html/page.js";
import { renderCells } from "../parts/cells.js";
import { provenance } from "../parts/provenance.js";
import type { Site } from "../site.js";
import { claimsText } from "./claims.js";
import { frontText } from "./front.js";

/** Everything on one page, without code and switches: what is printed. Links between pages lead within it. */
export function reportPage(site: Site): string {
  const notebooks = site.run.notebooks.map((notebook) => {
    const prefix = `${notebook.name}--`;
    const { html } = renderCells(notebook, site, { interactive: false, prefix });
    return `<article id="${notebook.name}">\n${html}\n</article>`;
  });
  const parts = [
    frontText(site, { table: false }),
    site.run.claims ? `<article id="claims-report">\n${claimsText(site.run.claims, site)}\n</article>` : "",
    ...notebooks,
    provenance(site.run),
  ];
  return page({
    title: site.run.manifest.title,
    header: "",
    navigation: "",
    main: withinReport(parts.filter(Boolean).join("\n")),
    styles: ["katex.css"],
    kind: "report",
    interactive: false,
  });
}

/** `NOTEBOOK.html#probe` is `#NOTEBOOK--probe` here. */
function withinReport(html: string): string {
  return html
    .replace(/href="claims\.html#(C\d+)"/g, 'href="#$1"')
    .replace(/href="([\w.-]+)\.html#([^"]+)"/g, 'href="#$1--$2"')
    .replace(/href="([\w.-]+)\.html"/g, 'href="#$1"');
}
