import { paperTable } from "../paper-values.js";
import type { Column } from "../table-formats.js";
import { type Table, table } from "../table.js";

/** A vector and the tokens that it promotes most. */
export interface ReadVector {
  id: string;
  label: string;
  /** cosine with the probe */
  cosine: number;
  tokens: readonly string[];
}

/** Table 1: what the toxic vectors promote, the paper's row of the same rank beside each. */
export function vocabularyTable(vectors: readonly ReadVector[], { tokens }: { tokens: number }): Table {
  return table({
    name: "table-1",
    number: 1,
    title: "Toxic vectors projected onto the vocabulary",
    caption: `The ${tokens} tokens that each vector promotes most, and the paper's row of the same rank (GPT2-medium).`,
    columns: [
      { key: "label", label: "Vector", math: true, paper: true },
      { key: "cosine", label: "Cosine", digits: 3 },
      { key: "tokens", label: "Top tokens", paper: true },
    ],
    rows: vectors.map((vector) => ({ ...vector })),
    paper: paperTable("table-1").rows,
  });
}

/** The leading value vectors, the tokens that each promotes, and how many of these are toxic. */
export function promotedTokensTable(
  vectors: readonly (Omit<ReadVector, "id"> & { toxic: number })[],
  { tokens }: { tokens: number },
): Table {
  return table({
    name: "promoted-tokens",
    title: "What the twenty leading value vectors promote",
    caption: `Top ${tokens} tokens, and how many of them the scorer, or the paper's table 1, takes for toxic.`,
    columns: [
      { key: "label", label: "Value vector", math: true },
      { key: "cosine", label: "Cosine", digits: 3 },
      { key: "toxic", label: "Toxic tokens", digits: 0 },
      { key: "tokens", label: "Top tokens" },
    ],
    rows: vectors.map((vector) => ({ ...vector })),
  });
}

/** The first singular vectors of another number of value vectors, held against the study's own. */
export interface StabilityRow {
  /** how many value vectors were stacked */
  count: number;
  /** of each direction, without sign, 0 to 1 */
  cosines: readonly number[];
  /** shared part of each direction's top tokens, 0 to 1 */
  overlaps: readonly number[];
}

/** Whether the number of stacked value vectors matters: their first three singular vectors beside those of `vectors`. */
export function svdStabilityTable(rows: readonly StabilityRow[], { vectors }: { vectors: number }): Table {
  const directions = [0, 1, 2];
  return table({
    name: "svd-stability",
    title: `Singular vectors of fewer or more value vectors, against N = ${vectors}`,
    caption: "Cosine (without sign) and overlap of the top tokens, for the first three directions.",
    columns: [
      { key: "count", label: "N", digits: 0 },
      ...directions.flatMap((k): Column[] => [
        { key: `cosine${k}`, label: `U[${k}] cosine`, digits: 2 },
        { key: `jaccard${k}`, label: `U[${k}] overlap`, digits: 2 },
      ]),
    ],
    rows: rows.map(({ count, cosines, overlaps }) => ({
      count,
      ...Object.fromEntries(
        directions.flatMap((k) => [
          [`cosine${k}`, cosines[k]],
          [`jaccard${k}`, overlaps[k]],
        ]),
      ),
    })),
  });
}
