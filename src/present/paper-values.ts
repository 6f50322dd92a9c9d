import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import type { Cell, Row } from "./rows.js";
import type { Column } from "./table-formats.js";

// The numbers to compare with are data (data/paper/*.json), each with where it was published. Nothing here computes.

/** A table of published values, or the published points of a figure. */
export interface PaperTable {
  /** "table-2", "figure-1", …: the file's name without .json */
  id: string;
  /** section of the paper that it belongs to, e.g. "3.3" */
  section: string;
  /** key of {@link paperSources} */
  source: string;
  /** where in the source, e.g. "Table 2" */
  where: string;
  title: string;
  /** what a reader must know before comparing */
  note?: string;
  /** the column that names a row; {@link besidePaper} joins on it */
  key: string;
  columns: Column[];
  rows: Record<string, Cell>[];
}

/** One published number. */
export interface PaperValue {
  id: string;
  value: number;
  unit: string;
  section: string;
  /** key of {@link paperSources} */
  source: string;
  where: string;
  what: string;
}

/** A publication that values come from. */
export interface PaperSource {
  title: string;
  authors: string;
  year: number;
  url: string;
  what: string;
}

const folder = (): string => join(projectRoot(), "data", "paper");
const notTables = ["claims", "sources", "values"];

function read<T>(id: string): T {
  return JSON.parse(readFileSync(join(folder(), `${id}.json`), "utf8")) as T;
}

/** The ids that {@link paperTable} knows, in alphabetical order. */
export function paperTables(): string[] {
  return readdirSync(folder())
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .filter((id) => !notTables.includes(id))
    .sort();
}

/**
 * Published rows by id, e.g. `paperTable("table-2")`, `paperTable("figure-1")`. Words in it are as published: mask before
 * rendering (tables and figures do so by themselves).
 */
export function paperTable(id: string): PaperTable {
  if (!/^[\w-]+$/.test(id) || notTables.includes(id) || !existsSync(join(folder(), `${id}.json`))) {
    throw new Error(`unknown table of the paper: ${id} (known: ${paperTables().join(", ")})`);
  }
  return read<PaperTable>(id);
}

/** Every single published number that is not part of a table. */
export function paperValues(): PaperValue[] {
  return read<PaperValue[]>("values");
}

/** One published number by id, e.g. `paperValue("probe-validation-accuracy").value`. */
export function paperValue(id: string): PaperValue {
  const values = paperValues();
  const found = values.find((value) => value.id === id);
  if (!found) {
    throw new Error(
      `unknown value of the paper: ${id} (known: ${values.map((value) => value.id).join(", ")})`,
    );
  }
  return found;
}

/** The publications behind the values, by key. */
export function paperSources(): Record<string, PaperSource> {
  return read<Record<string, PaperSource>>("sources");
}

/** How {@link besidePaper} joins. */
export interface BesideOptions {
  /** column that names a row on both sides; default: the reference's key */
  on?: string;
  /** numeric columns to compare; default: every column that is numeric in the reference and present in our rows */
  values?: readonly string[];
}

const paperKey = (key: string): string => `${key}Paper`;
const differenceKey = (key: string): string => `${key}Difference`;

function comparedKeys(rows: readonly Row[], reference: PaperTable, values?: readonly string[]): string[] {
  if (values) return [...values];
  return reference.columns
    .map((column) => column.key)
    .filter(
      (key) => rows.some((row) => key in row) && reference.rows.some((row) => typeof row[key] === "number"),
    );
}

/**
 * Our rows with the paper's value and the difference (ours − paper's) beside each compared number: `toxicity` gains
 * `toxicityPaper` and `toxicityDifference`. A row the paper lacks gets nulls; a row of the paper that we lack is left out.
 *
 * @example besidePaper([{ id: "noop", toxicity: 0.33 }], paperTable("table-2"))
 */
export function besidePaper(
  rows: readonly Row[],
  reference: PaperTable,
  options: BesideOptions = {},
): Record<string, Cell>[] {
  const on = options.on ?? reference.key;
  const keys = comparedKeys(rows, reference, options.values);
  const published = new Map(reference.rows.map((row) => [row[on], row]));
  return rows.map((row) => {
    const theirs = published.get(row[on] ?? null);
    const joined: Record<string, Cell> = {};
    for (const [key, cell] of Object.entries(row)) {
      joined[key] = cell ?? null;
      if (!keys.includes(key)) continue;
      const paper = theirs?.[key] ?? null;
      joined[paperKey(key)] = paper;
      joined[differenceKey(key)] =
        typeof cell === "number" && typeof paper === "number" ? cell - paper : null;
    }
    return joined;
  });
}

/** The columns to go with {@link besidePaper}: after each compared one, "paper" and "difference". */
export function paperColumns(
  columns: readonly Column[],
  reference: PaperTable,
  options: Pick<BesideOptions, "values"> = {},
): Column[] {
  const numeric = new Set(
    options.values ??
      reference.columns
        .map((column) => column.key)
        .filter((key) => reference.rows.some((row) => typeof row[key] === "number")),
  );
  return columns.flatMap((column): Column[] =>
    numeric.has(column.key)
      ? [
          column,
          { ...column, key: paperKey(column.key), label: `${column.label}, paper` },
          { ...column, key: differenceKey(column.key), label: "Difference", kind: "signed" },
        ]
      : [column],
  );
}
