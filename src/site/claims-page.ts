import type { RunClaims } from "../pipeline/claims";
import {
  bandText,
  countsText,
  measuredText,
  type PaperClaim,
  paperClaims,
  type RunClaim,
  styleOf,
  valueText,
  type Verdict,
} from "../present/claims";
import { CELL_ANCHOR } from "./notebook-page";
import { escapeHtml } from "./page";

/** A sign before the words, so that a list of verdicts can be skimmed without colours. */
const SIGNS: Record<Verdict, string> = {
  holds: "✓",
  "does not hold": "✗",
  "not measurable": "○",
  incomplete: "◐",
  "not run": "–",
};

/** "22 claims of the paper: 15 hold, 4 do not, 3 cannot be measured here." with a link, for the front page. */
export function claimsLine({ claims }: RunClaims): string {
  return `<p><a href="claims.html">${claims.length} claims of the paper</a>: ${escapeHtml(countsText(claims))}.</p>`;
}

/**
 * Every claim of the paper with its verdict, what was measured and the notebook that did.
 *
 * @param pages titles of the notebooks that have a page, by name
 */
export function renderClaims({ claims, profile }: RunClaims, pages: ReadonlyMap<string, string>): string {
  const catalogue = new Map(paperClaims().map((claim) => [claim.id, claim]));
  const rows = claims.map(
    (claim) =>
      `<tr><th scope="row"><a href="#${claim.id}">${claim.id}</a></th><td>${escapeHtml(claim.title)}</td><td>${verdict(claim.verdict)}</td><td>${escapeHtml(measuredText(claim))}</td></tr>`,
  );
  const details = claims.flatMap((claim) => {
    const paper = catalogue.get(claim.id);
    return paper ? [renderClaim(claim, paper, pages)] : [];
  });
  return `<h1>What holds of the paper's claims</h1>
<p>Of ${claims.length} claims ${escapeHtml(countsText(claims))}, in the profile ${escapeHtml(profile)}. A claim holds when each of its measures lies in its band; the bands are set for the claim, not for this run.</p>
<table>
<thead><tr><th scope="col">Claim</th><th scope="col"></th><th scope="col">Verdict</th><th scope="col">What decides</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
${details.join("\n")}`;
}

function verdict(of: Verdict): string {
  return `<span class="verdict"><span aria-hidden="true">${SIGNS[of]}</span> ${of}</span>`;
}

function renderClaim(claim: RunClaim, paper: PaperClaim, pages: ReadonlyMap<string, string>): string {
  const parts = [
    `<h2>${claim.id} ${escapeHtml(claim.title)}</h2>`,
    `<p><strong>${verdict(claim.verdict)}</strong>${claim.reason ? `: ${escapeHtml(claim.reason)}` : ""}</p>`,
    `<p>${escapeHtml(paper.says)} <span class="quiet">Section ${escapeHtml(paper.section)}: ${escapeHtml(paper.number)}.</span></p>`,
    `<p class="quiet">${escapeHtml([paper.how, paper.note].filter(Boolean).join(" "))}</p>`,
    claim.measures.length > 0 ? measures(claim) : "",
    claim.places.length > 0
      ? `<p>Measured in ${claim.places.map((place) => link(place, pages)).join("; ")}</p>`
      : "",
  ];
  return `<section id="${claim.id}">\n${parts.filter(Boolean).join("\n")}\n</section>`;
}

function measures({ id, measures: all }: RunClaim): string {
  const rows = all.map(({ key, label, value, paper, band, within }) => {
    const style = styleOf(id, key);
    const inside = within === null ? "" : within ? "inside" : "outside";
    const cells = [valueText(value, style), bandText(band, style), inside, valueText(paper, style)];
    return `<tr><th scope="row">${escapeHtml(label)}</th>${cells.map((text) => `<td>${escapeHtml(text)}</td>`).join("")}</tr>`;
  });
  return `<table>
<thead><tr><th scope="col">Measure</th><th scope="col">Measured</th><th scope="col">Band</th><th scope="col"></th><th scope="col">Paper</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`;
}

function link(
  { notebook, cell, earlier }: RunClaim["places"][number],
  pages: ReadonlyMap<string, string>,
): string {
  const title = escapeHtml(pages.get(notebook) ?? notebook);
  const linked = pages.has(notebook)
    ? `<a href="site/${encodeURIComponent(notebook)}.html#${CELL_ANCHOR}${encodeURIComponent(cell)}">${title}</a>`
    : title;
  const note =
    earlier === undefined ? "" : ` <span class="failed">from an earlier run; ${escapeHtml(earlier)}</span>`;
  return linked + note;
}
