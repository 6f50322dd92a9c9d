/** Pages for readers, from what a run left in its folder: plain files that open from disk, without server or network. */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "@alignscope/base/files";
import { writeAssets, writeFiles } from "./assets.js";
import { claimsPage } from "./pages/claims.js";
import { exhibitsPage } from "./pages/exhibits.js";
import { frontPage } from "./pages/front.js";
import { notebookPage } from "./pages/notebook.js";
import { reportPage } from "./pages/report.js";
import { readmeOf } from "./readme.js";
import { searchScript } from "./search.js";
import { Site } from "./site.js";

export { printReport } from "./pdf.js";

/** Where a run's pages are. */
export function siteFolder(outputs: string): string {
  return join(outputs, "site");
}

/**
 * Writes `site/` in a run's folder: `index.html`, a page for each executed notebook, `claims.html`, `exhibits.html`,
 * `report.html` for print, and everything that they link to, so that the folder can be moved or published as it is. The
 * pages that were there stay until the new ones are whole. Beside it, `README.md`, for those who browse the folder itself.
 *
 * @param outputs the folder of a run, e.g. outputs/lab
 * @returns the path of index.html
 * @throws UserError when nothing has been run there
 */
export async function buildSite(outputs: string): Promise<string> {
  const site = await Site.open(outputs);
  const [place, made, old] = ["site", `.site-${process.pid}`, `.site-old-${process.pid}`].map((name) =>
    join(outputs, name),
  ) as [string, string, string];
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  try {
    writeSite(made, site);
    if (existsSync(place)) renameSync(place, old);
    renameSync(made, place);
    writeFileAtomic(join(outputs, "README.md"), readmeOf(site.run));
  } finally {
    for (const folder of [made, old]) rmSync(folder, { recursive: true, force: true });
  }
  return join(place, "index.html");
}

function writeSite(folder: string, site: Site): void {
  const write = (file: string, html: string): void =>
    writeFileAtomic(join(folder, file), html, { durable: false });
  const notebooks = new Map(
    site.run.notebooks.map((notebook) => {
      const { html, rendered } = notebookPage(notebook, site);
      write(notebook.file, html);
      return [notebook, rendered];
    }),
  );
  if (site.run.claims) write("claims.html", claimsPage(site.run.claims, site));
  write("exhibits.html", exhibitsPage(site));
  write("report.html", reportPage(site));
  write("index.html", frontPage(site));
  writeAssets(folder);
  write(join("assets", "search-index.js"), searchScript(site, notebooks));
  writeFiles(folder, site);
}
