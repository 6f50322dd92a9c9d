import type { PaperTable } from "./paper-values.js";
import type { Cell, Row } from "./rows.js";
import type { Column } from "./table-formats.js";

/** Published rows to stand beside ours: joined on the published table's key, or row by row, null where there is none. */
export type PaperRows = PaperTable | readonly (Row | null | undefined)[];

const paperKey = (key: string): string => `${key}Paper`;
const differenceKey = (key: string): string => `${key}Difference`;

/** Each column, the ends of its interval ("from", "to"), and its published twin ("…, paper"), as a table renders them. */
export function renderedColumns(columns: readonly Column[]): Column[] {
  return columns.flatMap(({ interval, paper, ...column }): Column[] => {
    const ends = interval ? [interval[0], interval[1]] : [];
    return [
      column,
      ...ends.map((key, i) => ({ ...column, key, label: i === 0 ? "from" : "to" })),
      ...(paper ? [{ ...column, key: paperKey(column.key), label: `${column.label}, paper` }] : []),
    ];
  });
}

/**
 * Rows with what was published beside each column that asks for it: `toxicity` gains `toxicityPaper` and, where both are
 * numbers in some row, `toxicityDifference` (ours − the paper's). What the paper lacks is null; a `toxicityPaper` that a row
 * has itself stays.
 */
export function besidePaper(
  rows: readonly Row[],
  columns: readonly Column[],
  paper: PaperRows | undefined,
): Row[] {
  const keys = columns.filter((column) => column.paper).map(({ key }) => key);
  if (keys.length === 0) return [...rows];
  const joined = rows.map((row, i) => {
    const published = publishedRow(paper, row, i);
    return Object.fromEntries(
      Object.entries(row).flatMap(([key, own]): [string, Cell | undefined][] => {
        if (!keys.includes(key)) return [[key, own]];
        const theirs = row[paperKey(key)] ?? published?.[key] ?? null;
        const difference = typeof own === "number" && typeof theirs === "number" ? own - theirs : null;
        return [
          [key, own],
          [paperKey(key), theirs],
          [differenceKey(key), difference],
        ];
      }),
    );
  });
  const compared = keys.filter((key) => joined.some((row) => typeof row[differenceKey(key)] === "number"));
  const idle = keys.filter((key) => !compared.includes(key)).map(differenceKey);
  return joined.map((row) => Object.fromEntries(Object.entries(row).filter(([key]) => !idle.includes(key))));
}

function publishedRow(paper: PaperRows | undefined, row: Row, place: number): Row | null | undefined {
  if (paper === undefined) return undefined;
  if (!("key" in paper)) return paper[place];
  const { key, rows } = paper;
  const name = row[key];
  if (name === undefined)
    throw new Error(
      `row ${place} has no ${key}, by which ${paper.id} is joined (it has: ${Object.keys(row).join(", ")})`,
    );
  return rows.find((published) => published[key] === name);
}
