import { countsText, measuredText, type PaperClaim, type RunClaim } from "../../present/claims/index.js";
import { htmlMath } from "../../present/table-formats.js";
import { escape as escapeHtml } from "html-escaper";
import { address } from "../html/escape.js";
import { page } from "../html/page.js";
import { claimMeasures } from "../parts/beside-paper.js";
import { contents, headerBar } from "../parts/navigation.js";
import { provenance } from "../parts/provenance.js";
import { verdictBadge } from "../parts/verdict.js";
import type { RunClaims } from "../../pipeline/claims.js";
import { CELL_ANCHOR } from "../run.js";
import type { Site } from "../site.js";

/** Every claim of the paper with its verdict, what was measured, the notebook that did, and the figures that show it. */
export function claimsPage(claims: RunClaims, site: Site): string {
  return page({
    title: "What holds of the paper's claims · alignscope",
    header: headerBar(site.run),
    navigation: contents(site.run, "claims.html"),
    main: [claimsText(claims, site), provenance(site.run)].join("\n"),
    kind: "claims",
    interactive: true,
  });
}

/** The page's text. */
export function claimsText({ claims, profile }: RunClaims, site: Site): string {
  const details = claims.flatMap((claim) => {
    const paper = site.catalogue.get(claim.id);
    return paper ? [renderClaim(claim, paper, site)] : [];
  });
  return `<h1>What holds of the paper's claims</h1>
<p>Of ${claims.length} claims ${escapeHtml(countsText(claims))}, in the profile ${escapeHtml(profile)}. A claim holds when each of its measures lies in its band; the bands are set for the claim, not for this run.</p>
${claimsTable(claims, "")}
${details.join("\n")}`;
}

/** A line per claim: its verdict, and what decides. @param page where a claim's own paragraph is, "" for the same page */
export function claimsTable(claims: readonly RunClaim[], page: string): string {
  const rows = claims.map(
    (claim) =>
      `<tr><th scope="row"><a href="${page}#${claim.id}">${claim.id}</a></th><td>${htmlMath(claim.title)}</td><td>${verdictBadge(claim.verdict)}</td><td>${htmlMath(measuredText(claim))}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0"><table class="claims">
<thead><tr><th scope="col"><span class="sr-only">Claim</span></th><th scope="col">The paper's claim</th><th scope="col">Verdict</th><th scope="col">What decides</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>`;
}

function renderClaim(claim: RunClaim, paper: PaperClaim, site: Site): string {
  const shown = site.run.exhibits.filter(({ name, place }) => place && paper.exhibits?.includes(name));
  const parts = [
    `<h2>${claim.id} ${htmlMath(claim.title)}</h2>`,
    `<p><strong>${verdictBadge(claim.verdict)}</strong>${claim.reason ? `: ${escapeHtml(claim.reason)}` : ""}</p>`,
    `<p>${htmlMath(paper.says)} <span class="quiet">Section ${escapeHtml(paper.section)}: ${escapeHtml(paper.number)}.</span></p>`,
    `<p class="quiet">${htmlMath([paper.how, paper.note].filter(Boolean).join(" "))}</p>`,
    claim.measures.length > 0 ? claimMeasures(claim) : "",
    shown.length > 0
      ? `<p>Shown in ${shown.map(({ label, name, place }) => `<a href="${address(place!.notebook.file)}#${escapeHtml(name)}">${escapeHtml(label)}</a>`).join(", ")}.</p>`
      : "",
    claim.places.length > 0
      ? `<p>Measured in ${claim.places.map((place) => link(place, site)).join("; ")}.</p>`
      : "",
  ];
  return `<section id="${claim.id}">\n${parts.filter(Boolean).join("\n")}\n</section>`;
}

function link({ notebook, cell, earlier }: RunClaim["places"][number], site: Site): string {
  const found = site.run.notebooks.find(({ name }) => name === notebook);
  const linked = found
    ? `<a href="${address(found.file)}#${CELL_ANCHOR}${escapeHtml(encodeURIComponent(cell))}">${escapeHtml(`${found.section} ${found.title}`)}</a>`
    : escapeHtml(notebook);
  const note =
    earlier === undefined ? "" : ` <span class="failed">from an earlier run; ${escapeHtml(earlier)}</span>`;
  return linked + note;
}
