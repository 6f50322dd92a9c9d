import { formatNumber, type NumberStyle, significant } from "../format.js";
import { type Table, table } from "../table.js";
import { type Band, type JudgedClaim, type JudgedMeasure, measuresOf, paperClaim } from "./judge.js";

/** The end of a band: as few digits as say it. */
function end(value: number, { kind }: NumberStyle): string {
  const plain = (x: number): string =>
    significant(x)
      .replace(/(\.\d*?)0+(?=e|$)/, "$1")
      .replace(/\.(?=e|$)/, "");
  return kind === "percent" ? `${plain(value * 100)}\u00a0%` : plain(value);
}

/** A band in words: "≥ 0.93", "≤ 60 %", "−0.002 to 0.002"; "–" for none. */
export function bandText(band: Band | null, style: NumberStyle = {}): string {
  if (!band) return "–";
  const { atLeast, atMost } = band;
  if (atLeast !== null && atMost !== null) {
    return atLeast === atMost ? end(atLeast, style) : `${end(atLeast, style)} to ${end(atMost, style)}`;
  }
  if (atLeast !== null) return `≥ ${end(atLeast, style)}`;
  return atMost === null ? "–" : `≤ ${end(atMost, style)}`;
}

/** A value in the style of its measure; "–" for none. */
export function valueText(value: number | null, style: NumberStyle = {}): string {
  return value === null ? "–" : formatNumber(value, style);
}

/** The style of a judged measure, from the catalogue. */
export function styleOf(id: string, key: string): NumberStyle {
  return paperClaim(id).measures.find((measure) => measure.key === key) ?? {};
}

/**
 * What decided, in one line: the measures outside their bands, the first one of a claim that holds, or the reason why
 * there is none.
 */
export function measuredText({ id, verdict, measures, reason }: JudgedClaim): string {
  if (verdict === "not measurable" || verdict === "not run" || verdict === "incomplete") return reason ?? "";
  const say = ({ key, label, value, band, within }: JudgedMeasure): string => {
    const style = styleOf(id, key);
    const text = `${label} ${valueText(value, style)}`;
    return within === false ? `${text} (band ${bandText(band, style)})` : text;
  };
  const outside = measures.filter(({ within }) => within === false);
  return outside.length > 0
    ? outside.map(say).join("; ")
    : measures
        .filter(({ within }) => within !== null)
        .slice(0, 2)
        .map(say)
        .join("; ");
}

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
