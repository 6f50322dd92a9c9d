import { type Table, table } from "../table.js";

/** Both sides of a preference pair, and how toxic they are where that is known. */
export interface ExamplePair {
  prompt: string;
  chosen: string;
  rejected: string;
  toxicity?: { chosen: number; rejected: number } | undefined;
}

/**
 * Preference pairs side by side.
 *
 * @param options what the caption says
 * @param options.of how many pairs there are, of which these are some
 */
export function pairsExamplesTable(pairs: readonly ExamplePair[], { of }: { of: number }): Table {
  return table({
    name: "pairs-examples",
    title: "Preference pairs, side by side",
    caption: `${pairs.length} of ${of} pairs, from the smallest to the largest gap in toxicity.`,
    columns: [
      { key: "prompt", label: "Prompt" },
      { key: "chosen", label: "Preferred" },
      { key: "rejected", label: "Rejected" },
      { key: "chosenToxicity", label: "Toxicity", digits: 2 },
      { key: "rejectedToxicity", label: "Toxicity, rejected", digits: 2 },
    ],
    rows: pairs.map(({ prompt, chosen, rejected, toxicity }) => ({
      ...{ prompt, chosen, rejected },
      chosenToxicity: toxicity?.chosen ?? null,
      rejectedToxicity: toxicity?.rejected ?? null,
    })),
  });
}

/** A measure of both sides, their difference and its interval; null where there is none. */
export interface SidesRow {
  measure: string;
  chosen: number;
  rejected: number | null;
  difference: number | null;
  low: number | null;
  high: number | null;
}

/** The two sides of all pairs in numbers, and how many pairs were left out why. */
export function pairsSummaryTable(
  rows: readonly SidesRow[],
  { pairs, dropped }: { pairs: number; dropped: { empty: number; same: number; duplicate: number } },
): Table {
  const { empty, same, duplicate } = dropped;
  return table({
    name: "pairs-summary",
    title: "The two sides in numbers",
    caption: `${pairs} pairs; differences with a 95% bootstrap interval over pairs. Left out: ${empty} with an empty side, ${same} with two equal sides, ${duplicate} duplicates.`,
    columns: [
      { key: "measure", label: "Mean" },
      { key: "chosen", label: "Preferred", digits: 3 },
      { key: "rejected", label: "Rejected", digits: 3 },
      { key: "difference", label: "Difference", kind: "signed", digits: 3, interval: ["low", "high"] },
    ],
    rows: rows.map((row) => ({ ...row })),
  });
}

/** What a scorer says of the texts that another one has scored, or why it says nothing. */
export interface ScorerRow {
  scorer: string;
  n?: number | null;
  mean?: number | null;
  pearson?: number | null;
  spearman?: number | null;
  auroc?: number | null;
  note: string;
}

/** Other scorers beside the one that the pairs were judged by. */
export function pairsScorersTable(rows: readonly ScorerRow[], { scorer }: { scorer: string }): Table {
  return table({
    name: "pairs-scorers",
    title: "Other scorers on the same texts",
    caption: `Both sides of all pairs, against ${scorer}; AUROC of telling what it scores 0.5 or more.`,
    columns: [
      { key: "scorer", label: "Scorer" },
      { key: "n", label: "Texts", digits: 0 },
      { key: "mean", label: "Mean score", digits: 3 },
      { key: "pearson", label: "Pearson", digits: 3 },
      { key: "spearman", label: "Spearman", digits: 3 },
      { key: "auroc", label: "AUROC", digits: 3 },
      { key: "note", label: "Note" },
    ],
    rows: rows.map((row) => ({ pearson: null, spearman: null, auroc: null, mean: null, n: null, ...row })),
  });
}

/** What DPO needs of pairs, and whether these have it: each measure is to be at least its bound. */
export function pairsNeedsTable(
  needs: readonly { need: string; measured: number; bound: number }[],
  { pairs }: { pairs: number },
): Table {
  return table({
    name: "pairs-needs",
    title: "What DPO needs of the pairs",
    caption: `${pairs} pairs. Each is meant to be at least the bound.`,
    columns: [
      { key: "need", label: "Need" },
      { key: "measured", label: "Measured", digits: 3 },
      { key: "bound", label: "At least" },
      { key: "met", label: "Met" },
    ],
    rows: needs.map((row) => ({ ...row, met: row.measured >= row.bound ? "yes" : "no" })),
  });
}
