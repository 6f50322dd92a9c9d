import { type Column, formatNumber, type Row } from "../../present/index.js";
import { cellText, htmlMath } from "../../present/table-formats.js";
import { type PaperClaim, type RunClaim, styleOf, valueText, bandText } from "../../present/claims/index.js";
import type { Exhibit } from "../exhibits.js";
import { escape as escapeHtml } from "html-escaper";
import type { Site } from "../site.js";
import { verdictBadge } from "./verdict.js";

/** A published number beside ours. */
interface Compared {
  what: string;
  ours: string;
  paper: string;
  difference: string;
}

/** Comparisons of so many lines are seen at once; longer ones unfold. */
const MOST_OPEN = 8;

/**
 * What the paper has of a figure or table: its numbers with the difference, of the exhibit's own rows and of tables named
 * after it (`figure-4-levels` of `figure-4`), then the claims that the exhibit stands for.
 */
export function besidePaperPanel(exhibit: Exhibit, site: Site): string {
  const compared = [exhibit, ...companions(exhibit, site.run.exhibits)].flatMap(comparedNumbers);
  const claims = claimsOf(exhibit, site);
  const { kind, inPaper } = exhibit;
  if (compared.length === 0 && claims.length === 0) {
    const why = inPaper ? `The paper gives no numbers for this ${kind}.` : `The paper has no such ${kind}.`;
    return `<p class="quiet paper">${why}</p>`;
  }
  const numbers = comparisonTable(
    compared.map(({ what, ours, paper, difference }) => [what, ours, paper, difference]),
    ["", "here", "paper", "difference"],
  );
  const verdicts = claims.map(({ claim }) => `${claim.id} ${verdictBadge(claim.verdict)}`);
  const lines = compared.length + claims.reduce((sum, { claim }) => sum + claim.measures.length, 0);
  return `<details class="paper"${lines <= MOST_OPEN ? " open" : ""}><summary>${["Beside the paper", verdicts.join(", ")].filter(Boolean).join(": ")}</summary>
${[compared.length > 0 ? numbers : "", ...claims.map(({ claim, paper }) => claimLines(claim, paper))].filter(Boolean).join("\n")}
</details>`;
}

function companions(exhibit: Exhibit, all: readonly Exhibit[]): Exhibit[] {
  if (exhibit.kind !== "figure") return [];
  return all.filter(({ kind, name }) => kind === "table" && name.startsWith(`${exhibit.name}-`));
}

/** Of each row the columns that have a twin with the paper's value. */
function comparedNumbers({ columns = [], rows = [] }: Exhibit): Compared[] {
  const name = columns.slice(0, nameColumns(columns, rows));
  return rows.flatMap((row) =>
    columns.flatMap((column): Compared[] => {
      const ours = row[column.key];
      const paper = row[paperKey(column.key, row)];
      if (typeof ours !== "number" || typeof paper !== "number") return [];
      const what = [...name.map((each) => cellText(row[each.key], each, { show: true })), column.label];
      return [
        {
          what: what.filter((text) => text !== "–").join(", "),
          ours: formatNumber(ours, column),
          paper: formatNumber(paper, column),
          difference: differenceText(ours - paper, column),
        },
      ];
    }),
  );
}

/** The columns before the first number are what a row is called. */
function nameColumns(columns: readonly Column[], rows: readonly Row[]): number {
  const first = columns.findIndex(({ key }) => rows.some((row) => typeof row[key] === "number"));
  return Math.max(1, first < 0 ? 1 : first);
}

/** Where a row keeps the paper's value of a column: `toxicityPaper`; `paper` beside `own` or the held-out value. */
function paperKey(key: string, row: Row): string {
  const twin = key === "own" || (key === "validation" && !("own" in row)) ? "paper" : `${key}Paper`;
  return key === "rate" && !(twin in row) ? "paperRate" : twin;
}

function differenceText(difference: number, { digits, kind }: Column): string {
  if (kind === "percent") {
    const points = difference * 100;
    return `${points < 0 ? "−" : "+"}${Math.abs(points).toFixed(digits ?? 0)} points`;
  }
  return formatNumber(difference, { kind: "signed", ...(digits === undefined ? {} : { digits }) });
}

function claimsOf(exhibit: Exhibit, site: Site): { claim: RunClaim; paper: PaperClaim }[] {
  return (site.run.claims?.claims ?? []).flatMap((claim) => {
    const paper = site.catalogue.get(claim.id);
    return paper?.exhibits?.includes(exhibit.name) ? [{ claim, paper }] : [];
  });
}

function claimLines(claim: RunClaim, paper: PaperClaim): string {
  const head = `<p><a href="claims.html#${claim.id}">Claim ${claim.id}</a>: ${escapeHtml(claim.title)}. ${verdictBadge(claim.verdict)}</p>`;
  if (claim.measures.length === 0) {
    return `${head}\n<p class="quiet">${escapeHtml(claim.reason ?? "")} The paper: ${escapeHtml(paper.number)}.</p>`;
  }
  return `${head}\n${claimMeasures(claim)}`;
}

/** The measures of a claim beside the paper's and their bands. */
export function claimMeasures({ id, measures }: RunClaim): string {
  const rows = measures.map(({ key, label, value, paper, band, within }) => {
    const style = styleOf(id, key);
    const difference =
      value === null || paper === null ? "–" : differenceText(value - paper, { ...style, key, label });
    const inside = within === null ? "" : within ? "inside" : "outside";
    return [
      label,
      valueText(value, style),
      valueText(paper, style),
      difference,
      bandText(band, style),
      inside,
    ];
  });
  return comparisonTable(rows, ["", "here", "paper", "difference", "band", ""]);
}

/** Rows of text, the first cell of each their name. */
function comparisonTable(rows: readonly (readonly string[])[], heads: readonly string[]): string {
  const head = heads
    .map((text) => (text ? `<th scope="col">${escapeHtml(text)}</th>` : "<td></td>"))
    .join("");
  const body = rows.map(
    ([first = "", ...rest]) =>
      `<tr><th scope="row">${htmlMath(first)}</th>${rest.map((text) => `<td>${escapeHtml(text)}</td>`).join("")}</tr>`,
  );
  return `<div class="scroll" tabindex="0"><table class="compared">\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}
