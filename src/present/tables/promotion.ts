import { type Table, table } from "../table.js";

/** What E v foretells of a vector that is added in a layer, and what happens. */
export interface PromotionRow {
  label: string;
  kind: string;
  layer: number;
  /** the largest coefficient with which the model itself adds it; null where it does not */
  observed: number | null;
  /** Pearson's, over the vocabulary */
  correlation: number;
  /** mean change of log-probability of the tokens that E v puts first, nats */
  promotedChange: number;
  /** factor by which their summed probability grows */
  probabilityRatio: number;
}

/** Appendix A: whether E v foretells the change of the logits. */
export function promotionTable(
  rows: readonly PromotionRow[],
  { coefficient, prompts }: { coefficient: number; prompts: number },
): Table {
  return table({
    name: "vocabulary-projection",
    title: "Does E v foretell the change of the logits?",
    caption:
      `m = ${coefficient}, last position of ${prompts} prompts. Correlation over the vocabulary between m E v and the mean ` +
      "change of the logits; mean change of log-probability of the ten tokens that E v puts first, and the factor by " +
      "which their joint probability grows.",
    columns: [
      { key: "label", label: "Vector", math: true },
      { key: "layer", label: "Added in layer", digits: 0 },
      { key: "observed", label: "Largest m observed", digits: 2 },
      { key: "correlation", label: "Correlation", digits: 3 },
      { key: "promotedChange", label: "Change of log p, top 10", digits: 2, kind: "signed" },
      { key: "probabilityRatio", label: "Probability factor", digits: 2 },
    ],
    rows: rows.map((row) => ({ ...row })),
  });
}
