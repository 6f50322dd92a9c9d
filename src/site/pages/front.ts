import { countsText } from "../../present/claims/index.js";
import { duration } from "../../present/format.js";
import { escape as escapeHtml } from "html-escaper";
import { address } from "../html/escape.js";
import { page } from "../html/page.js";
import { contents, headerBar } from "../parts/navigation.js";
import { provenance } from "../parts/provenance.js";
import { sectionOf } from "../run.js";
import type { Site } from "../site.js";
import { storyOf } from "../story.js";
import { claimsTable } from "./claims.js";

/** The front page: the story in one screen, what holds of it, the notebooks. */
export function frontPage(site: Site): string {
  return page({
    title: `${site.run.manifest.title} · alignscope`,
    description:
      "Lee et al. 2024, re-run as TypeScript notebooks: every figure and table, and what holds of the claims.",
    header: headerBar(site.run),
    navigation: contents(site.run, "index.html"),
    main: [frontText(site), provenance(site.run)].join("\n"),
    kind: "front",
    interactive: true,
  });
}

/** The page's text. The printed report begins with it as well, and has the table of claims in a chapter of its own. */
export function frontText(site: Site, { table = true } = {}): string {
  const { manifest, claims } = site.run;
  const model = site.run.notebooks.flatMap(({ record }) => record.madeBy?.model?.name ?? [])[0];
  const parts = [
    `<h1>${escapeHtml(manifest.title)}</h1>`,
    `<p class="lead">What does a language model learn when it is taught not to be toxic? <a href="https://arxiv.org/abs/2401.01967" rel="noreferrer">Lee et al. 2024</a> looked inside GPT-2 before and after DPO. This is their study run again: profile ${escapeHtml(manifest.profile)}${model ? `, model ${escapeHtml(model)}` : ""}. Offensive words are starred out.</p>`,
    storyOf(site),
    claims
      ? `<h2 id="claims">What holds</h2>\n<p>Of the paper's ${claims.claims.length} claims ${escapeHtml(countsText(claims.claims))}.</p>${table ? `\n${claimsTable(claims.claims, "claims.html")}` : ""}`
      : "",
  ];
  return parts.filter(Boolean).join("\n") + notebookList(site);
}

function notebookList({ run }: Site): string {
  const items = run.manifest.notebooks.map(({ name, title, seconds, error }) => {
    const text = escapeHtml(`${sectionOf(name)} ${title}`);
    const page = run.notebooks.find((notebook) => notebook.name === name);
    const took =
      page && seconds !== undefined ? ` <span class="quiet">${duration(seconds * 1000)}</span>` : "";
    const missing = page ? "" : ' <span class="quiet">not run yet</span>';
    const failed = error ? ` <span class="failed">the last run failed: ${escapeHtml(error)}</span>` : "";
    return `<li>${page ? `<a href="${address(page.file)}">${text}</a>` : text}${took}${missing}${failed}</li>`;
  });
  return `\n<h2 id="notebooks">Notebooks</h2>\n<ul class="notebooks">\n${items.join("\n")}\n</ul>`;
}
