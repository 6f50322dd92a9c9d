import { paperTable, type PaperTable } from "../paper-values.js";
import type { Row } from "../rows.js";
import type { Column } from "../table-formats.js";
import { type Table, table, type TableLabels } from "../table.js";

/** A column of tables 2 and 4. */
export type SystemMeasure =
  "scale" | "toxicity" | "change" | "restored" | "perplexity" | "perplexityChange" | "f1" | "distinct";

/** A system by its label, with the measures that are asked for; the ends of an interval are low and high. */
export type SystemRow = { id: string; label: string } & Partial<Record<SystemMeasure, number | null>>;

const COLUMNS: Readonly<Record<SystemMeasure, Column>> = {
  scale: { key: "scale", label: "α" },
  toxicity: { key: "toxicity", label: "Toxicity", digits: 3, interval: ["low", "high"], paper: true },
  change: {
    ...{ key: "change", label: "Change", kind: "percent", digits: 0 },
    interval: ["changeLow", "changeHigh"],
    paper: true,
  },
  restored: {
    ...{ key: "restored", label: "Restored", kind: "percent", digits: 0 },
    interval: ["restoredLow", "restoredHigh"],
  },
  perplexity: { key: "perplexity", label: "Perplexity", digits: 2, paper: true },
  perplexityChange: { key: "perplexityChange", label: "Change", kind: "percent", digits: 1 },
  f1: { key: "f1", label: "F1", digits: 3, paper: true },
  distinct: { key: "distinct", label: "Distinct tokens", kind: "percent", digits: 0 },
};

/** What a caption says of an evaluation. */
export interface EvaluatedOn {
  prompts: readonly unknown[];
  passages: readonly unknown[];
  /** name of the toxicity scorer */
  scorer: string;
  /** there where the scorer has several attributes: then TOXICITY alone gets a column of its own */
  toxicityJudge?: unknown;
}

export interface SystemsTableOptions extends Omit<TableLabels, "caption"> {
  /** the columns after the system's label, in this order */
  measures: readonly SystemMeasure[];
  /** what was measured on what is said in the caption; without it `caption` is all there is */
  evaluation?: EvaluatedOn;
  /** what else the caption says */
  caption?: string;
  /** heading of the systems; "Method" unless said otherwise */
  heading?: string;
  /** the published table to stand beside ours, where there is one */
  paper?: "table-2" | "table-4";
}

/**
 * Systems side by side, as in tables 2 and 4. Intervals are shown where rows have them.
 *
 * @param rows as `measureSystem` measures them; scores by prompt stay out of the table
 */
export function systemsTable(
  rows: readonly SystemRow[],
  { measures, evaluation, caption = "", heading = "Method", paper, ...labels }: SystemsTableOptions,
): Table {
  const columns = measures.flatMap((measure): Column[] => {
    const { interval, paper: published, ...column } = COLUMNS[measure];
    const alone = { key: "toxicityAlone", label: "TOXICITY alone", digits: 3 };
    return [
      {
        ...column,
        ...(interval && rows.some((row) => interval[0] in row) ? { interval } : {}),
        ...(published && paper ? { paper: true } : {}),
      },
      ...(measure === "toxicity" && evaluation?.toxicityJudge ? [alone] : []),
    ];
  });
  return table({
    ...labels,
    caption: [evaluation ? captionOf(evaluation, measures, paper) : "", caption].filter(Boolean).join(" "),
    columns: [{ key: "label", label: heading, math: true }, ...columns],
    rows: rows.map((row): Row => Object.fromEntries(Object.entries(row).filter(([key]) => key !== "scores"))),
    ...(paper ? { paper: withChange(paperTable(paper)) } : {}),
  });
}

function captionOf(
  { prompts, passages, scorer }: EvaluatedOn,
  measures: readonly SystemMeasure[],
  paper: string | undefined,
): string {
  const said: Partial<Record<SystemMeasure, string>> = {
    toxicity: `mean toxicity of ${prompts.length} greedy continuations (scorer: ${scorer}) with a 95% bootstrap interval over prompts`,
    change: "the change of that mean over the same prompts",
    restored: "the share of what DPO took away that is back, by the same resampling",
    perplexity: "perplexity",
    perplexityChange: "its change against DPO",
    f1: `F1 over ${passages.length} passages`,
    distinct: "the share of a continuation's tokens that differ from one another",
  };
  const list = measures.flatMap((measure) => said[measure] ?? []).join(", ");
  const beside = paper ? "; beside them the paper's values for GPT2-medium, scored by Perspective" : "";
  return `${list.charAt(0).toUpperCase()}${list.slice(1)}${beside}.`;
}

/** The published table with the change of its toxicity against its first row, the unchanged model's. */
function withChange(published: PaperTable): PaperTable {
  const base = published.rows[0]?.["toxicity"] as number;
  const rows = published.rows.map((row) => ({ ...row, change: (row["toxicity"] as number) / base - 1 }));
  return { ...published, rows };
}
