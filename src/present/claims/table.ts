import { type Table, table } from "../table.js";
import { measuresOf, paperClaim } from "./catalogue.js";
import type { JudgedClaim } from "./judge.js";
import { bandText, valueText } from "./words.js";

/**
 * What a notebook says of the paper's claims: a row for each measure, the verdict in the first row of its claim.
 *
 * @param part section or appendix, "5.1" or "B"; the table's name is `claims-5-1`, `claims-b`
 */
export function claimsTable(part: string, claims: readonly JudgedClaim[]): Table {
  const appendix = /^[A-Z]$/.test(part);
  return table({
    name: `claims-${part.toLowerCase().replaceAll(".", "-")}`,
    title: `What holds of the paper's claims: ${appendix ? "appendix" : "section"} ${part}`,
    caption:
      "A claim holds when each of its measures lies in its band; a band is around, not at, the paper's value.",
    columns: [
      { key: "id", label: "Claim" },
      { key: "says", label: "The paper says" },
      { key: "measure", label: "Measure" },
      { key: "measured", label: "Measured" },
      { key: "band", label: "Band" },
      { key: "inside", label: "In band" },
      { key: "paper", label: "Paper" },
      { key: "verdict", label: "Verdict" },
    ],
    rows: claims.flatMap(({ id, verdict, measures, reason }) => {
      const claim = paperClaim(id);
      const styles = measuresOf(claim);
      const said = reason === undefined ? verdict : `${verdict}: ${reason}`;
      return measures.map(({ key, label, value, paper, band, within }, i) => {
        const style = styles.find((measure) => measure.key === key) ?? {};
        return {
          id,
          says: i === 0 ? `${claim.says} In figures: ${claim.number}.` : "",
          measure: label,
          measured: valueText(value, style),
          band: bandText(band, style),
          inside: within,
          paper: valueText(paper, style),
          verdict: i === 0 ? said : "",
          // the same as numbers, for the data files
          key,
          value,
          paperValue: paper,
          atLeast: band?.atLeast ?? null,
          atMost: band?.atMost ?? null,
        };
      });
    }),
  });
}
