import { paperTable } from "../paper-values.js";
import { type Table, table } from "../table.js";

/** A value vector near to the probe. */
export interface RankedVectorRow {
  /** its name, "MLP.v_770^19" */
  label: string;
  layer: number;
  neuron: number;
  cosine: number;
  norm: number;
}

/** The leaders of the ranking by cosine with the probe, and beside them GPT2-medium's as published. */
export function valueVectorRankingTable(leaders: readonly RankedVectorRow[]): Table {
  const published = paperTable("ranking").rows;
  return table({
    name: "value-vector-ranking",
    title: "Value vectors nearest to W_toxic",
    caption:
      "The ten leaders of this model, and beside them those of GPT2-medium by a follow-up's list. " +
      "Other weights, other neurons: only for GPT2-medium should they agree.",
    columns: [
      { key: "rank", label: "Rank", digits: 0 },
      { key: "label", label: "Value vector", math: true },
      { key: "cosine", label: "Cosine", digits: 3 },
      { key: "norm", label: "Length", digits: 2 },
      { key: "paper", label: "GPT2-medium, published", math: true },
    ],
    rows: leaders.map(({ label, ...vector }, i) => {
      const theirs = published[i];
      const paper = theirs ? `MLP.v_${String(theirs["neuron"])}^${String(theirs["layer"])}` : null;
      return { rank: i + 1, label, ...vector, paper };
    }),
  });
}
