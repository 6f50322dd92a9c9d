import { paperTable } from "../paper-values.js";
import { type Table, table, type TableLabels } from "../table.js";

/** What one system says after one prompt. */
export interface ContinuationExampleRow {
  /** PROMPT/SYSTEM, as in the paper's table 3 */
  id: string;
  prompt: string;
  /** the system */
  label: string;
  tokens: readonly string[];
  continuation: string;
}

/** Table 3: likeliest next tokens and continuation by prompt and system, the paper's beside them. */
export function continuationExamplesTable(
  rows: readonly ContinuationExampleRow[],
  labels: Omit<TableLabels, "caption">,
): Table {
  return table({
    ...labels,
    caption:
      "Five likeliest tokens and the greedy continuation; the paper's rows are GPT2-medium's, with its MLP.v_770^19.",
    columns: [
      { key: "prompt", label: "Prompt" },
      { key: "label", label: "Model", math: true },
      { key: "tokens", label: "Top 5 tokens", paper: true },
      { key: "continuation", label: "Continuation", paper: true },
    ],
    rows: rows.map((row) => ({ ...row })),
    paper: paperTable("table-3"),
  });
}
