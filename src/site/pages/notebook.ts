import { page } from "../html/page";
import { renderCells, type RenderedNotebook } from "../parts/cells";
import { contents, headerBar, neighbours } from "../parts/navigation";
import { provenance } from "../parts/provenance";
import type { RunNotebook } from "../run";
import type { Site } from "../site";

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
