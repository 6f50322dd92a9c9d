/** Pages for readers, from what a run left in its folder: plain files that open from disk, without server or network. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../data/errors";
import { writeFileAtomic } from "../data/files";
import { readNotebook } from "../jupyter";
import { hasClaims, readClaims } from "../pipeline/claims";
import type { Manifest, ManifestNotebook } from "../pipeline/manifest";
import { duration } from "../present/format";
import { claimsLine, renderClaims } from "./claims-page";
import { figureGallery, tableGallery } from "./gallery";
import { renderNotebook } from "./notebook-page";
import { escapeHtml, page } from "./page";

/**
 * Writes `index.html`, a page for each executed notebook, `site/NAME.html`, and `claims.html` where notebooks speak of the
 * paper's claims.
 *
 * @param outputs the folder of a run, e.g. outputs/lab
 * @returns the path of index.html
 * @throws UserError when nothing has been run there
 */
export function buildSite(outputs: string): string {
  const file = join(outputs, "manifest.json");
  if (!existsSync(file)) throw new UserError(`no results in ${outputs}: run \`alignscope reproduce\` first`);
  const manifest = JSON.parse(readFileSync(file, "utf8")) as Manifest;
  const shown = manifest.notebooks.filter(({ name }) => existsSync(executed(outputs, name)));
  shown.forEach((notebook, position) => {
    const title = `${numberOf(notebook)} ${notebook.title}`.trim();
    const body = [
      navigation(shown, position),
      renderNotebook(readNotebook(executed(outputs, notebook.name))),
      navigation(shown, position),
      provenance(manifest, notebook),
    ];
    writeFileAtomic(join(outputs, "site", `${notebook.name}.html`), page(title, body.join("\n")));
  });
  writeClaimsPage(outputs, manifest, shown);
  const index = join(outputs, "index.html");
  writeFileAtomic(index, page(manifest.title, frontPage(outputs, manifest)));
  return index;
}

function writeClaimsPage(outputs: string, manifest: Manifest, shown: readonly ManifestNotebook[]): void {
  const file = join(outputs, "claims.html");
  if (!hasClaims(outputs)) {
    rmSync(file, { force: true });
    return;
  }
  const titles = new Map(shown.map((notebook) => [notebook.name, `${numberOf(notebook)} ${notebook.title}`]));
  const body = [
    '<nav><a href="index.html">All results</a></nav>',
    renderClaims(readClaims(outputs), titles),
    provenance(manifest),
  ];
  writeFileAtomic(file, page("What holds of the paper's claims", body.join("\n")));
}

function executed(outputs: string, name: string): string {
  return join(outputs, "notebooks", `${name}.ipynb`);
}

/** The section of the paper: the name up to its first hyphen. */
function numberOf({ name }: ManifestNotebook): string {
  return name.split("-")[0] ?? "";
}

function frontPage(outputs: string, manifest: Manifest): string {
  const figures = figureGallery(outputs);
  const tables = tableGallery(outputs);
  const entries = manifest.notebooks.map((notebook) => `<li>${entry(outputs, notebook)}</li>`);
  return [
    `<h1>${escapeHtml(manifest.title)}</h1>`,
    `<p class="quiet">Profile ${escapeHtml(manifest.profile)}. Offensive words are masked.</p>`,
    hasClaims(outputs) ? claimsLine(readClaims(outputs)) : "",
    `<nav>${tables && '<a href="#tables">Tables</a>'} ${figures && '<a href="#figures">Figures</a>'} <a href="#provenance">Where this comes from</a></nav>`,
    `<h2>Notebooks</h2>\n<ul class="notebooks">\n${entries.join("\n")}\n</ul>`,
    tables,
    figures,
    provenance(manifest),
  ].join("\n");
}

function entry(outputs: string, notebook: ManifestNotebook): string {
  const { name, seconds, error } = notebook;
  const title = escapeHtml(`${numberOf(notebook)} ${notebook.title}`);
  const has = existsSync(executed(outputs, name));
  const link = has ? `<a href="site/${encodeURIComponent(name)}.html">${title}</a>` : title;
  const took = has && seconds !== undefined ? ` <span class="quiet">${duration(seconds * 1000)}</span>` : "";
  const missing = has ? "" : ' <span class="quiet">not run yet</span>';
  const failed = error ? ` <span class="failed">the last run failed: ${escapeHtml(error)}</span>` : "";
  return link + took + missing + failed;
}

function navigation(shown: readonly ManifestNotebook[], position: number): string {
  const link = (notebook: ManifestNotebook | undefined, arrow: (title: string) => string): string =>
    notebook
      ? `<a href="${encodeURIComponent(notebook.name)}.html">${escapeHtml(arrow(notebook.title))}</a>`
      : "";
  return `<nav><a href="../index.html">All results</a> ${link(shown[position - 1], (title) => `← ${title}`)} ${link(shown[position + 1], (title) => `${title} →`)}</nav>`;
}

/** Where the numbers come from: of the whole run, and of one notebook on its own page. */
function provenance(manifest: Manifest, notebook?: ManifestNotebook): string {
  const { commit, dirty } = manifest.git;
  const rows: [string, string][] = [
    ["commit", commit ? `${commit.slice(0, 12)}${dirty ? " with uncommitted changes" : ""}` : "unknown"],
    ["version", `alignscope ${manifest.alignscope}, Node.js ${manifest.node}, ${manifest.platform}`],
    ["kernel", manifest.kernel],
    ["seed", manifest.seed === null ? "none" : JSON.stringify(manifest.seed)],
  ];
  const of = notebook ? [notebook] : manifest.notebooks;
  const seconds = of.reduce((sum, entry) => sum + (entry.seconds ?? 0), 0);
  rows.push(["computed in", duration(seconds * 1000)]);
  const started = of.flatMap(({ startedAt }) => startedAt ?? []).sort();
  if (started[0]) rows.push(["on", started[0].slice(0, 10)]);
  const data = new Map(of.flatMap(({ inputs }) => Object.entries(inputs?.data ?? {})));
  for (const [name, sha256] of data) rows.push([name, `sha256 ${sha256.slice(0, 16)}…`]);
  for (const [name, { value, source }] of Object.entries(notebook?.parameters ?? {})) {
    if (source !== "run") rows.push([name, `${JSON.stringify(value) ?? "computed"} (${source})`]);
  }
  const list = rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<footer id="provenance"><strong>Where this comes from</strong>\n<dl>\n${list.join("\n")}\n</dl>
<a href="${notebook ? "../" : ""}manifest.json">manifest.json</a> has every parameter, checksum and time${notebook ? `; <a href="../notebooks/${encodeURIComponent(notebook.name)}.ipynb">the notebook</a>` : ""}.</footer>`;
}
