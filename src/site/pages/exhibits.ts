import { htmlMath } from "../../present/table-formats.js";
import type { Exhibit } from "../exhibits.js";
import { escape as escapeHtml } from "html-escaper";
import { address } from "../html/escape.js";
import { page } from "../html/page.js";
import { contents, headerBar } from "../parts/navigation.js";
import { provenance } from "../parts/provenance.js";
import type { Site } from "../site.js";

/** Every figure as a small picture, every table by its title: the way to each, in the order of the notebooks. */
export function exhibitsPage(site: Site): string {
  const of = (kind: Exhibit["kind"]): Exhibit[] =>
    site.run.exhibits.filter((exhibit) => exhibit.kind === kind);
  const [figures, tables] = [of("figure"), of("table")];
  const main = [
    "<h1>Figures and tables</h1>",
    "<p>What the paper has bears its number there; the others are lettered by section.</p>",
    figures.length > 0
      ? `<h2 id="figures">Figures</h2>\n<ul class="gallery">\n${figures.map((figure) => `<li>${tile(figure, site)}</li>`).join("\n")}\n</ul>`
      : "",
    tables.length > 0
      ? `<h2 id="tables">Tables</h2>\n<ul class="tables">\n${tables.map((table) => `<li>${line(table)}</li>`).join("\n")}\n</ul>`
      : "",
    provenance(site.run),
  ];
  return page({
    title: "Figures and tables · alignscope",
    header: headerBar(site.run),
    navigation: contents(site.run, "exhibits.html"),
    main: main.filter(Boolean).join("\n"),
    kind: "exhibits",
    interactive: true,
  });
}

function tile(figure: Exhibit, site: Site): string {
  const picture = site.picture(figure);
  const image = picture
    ? `<img src="${address("figures", picture.small ?? picture.file)}" alt="" loading="lazy">`
    : "";
  return linked(
    figure,
    `${image}<span><strong>${escapeHtml(figure.label)}.</strong> ${htmlMath(figure.title)}</span>`,
  );
}

function line(table: Exhibit): string {
  return linked(table, `<strong>${escapeHtml(table.label)}.</strong> ${htmlMath(table.title)}`);
}

/** To where it stands in its notebook; to its file where none shows it. */
function linked({ kind, name, place, files }: Exhibit, html: string): string {
  const file = files.get(kind === "figure" ? "svg" : "html");
  const target = place
    ? `${address(place.notebook.file)}#${escapeHtml(name)}`
    : file && address(kind === "figure" ? "figures" : "tables", file);
  return target ? `<a href="${target}">${html}</a>` : html;
}
