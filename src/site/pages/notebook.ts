import { page } from "../html/page.js";
import { renderCells, type RenderedNotebook } from "../parts/cells.js";
import { contents, headerBar, neighbours } from "../parts/navigation.js";
import { provenance } from "../parts/provenance.js";
import type { RunNotebook } from "../exhibits.js";
import type { Site } from "../site.js";

/** The page of one executed notebook, and its text for search. */
export function notebookPage(
  notebook: RunNotebook,
  site: Site,
): { html: string; rendered: RenderedNotebook } {
  const rendered = renderCells(notebook, site, { interactive: true });
  const main = [rendered.html, neighbours(site.run, notebook), provenance(site.run, notebook)];
  const html = page({
    title: `${notebook.section} ${notebook.title} · alignscope`,
    header: headerBar(site.run),
    navigation: contents(site.run, notebook.file, rendered.headings),
    main: main.join("\n"),
    styles: rendered.html.includes('class="katex') ? ["katex.css"] : [],
    kind: "notebook",
    interactive: true,
  });
  return { html, rendered };
}
