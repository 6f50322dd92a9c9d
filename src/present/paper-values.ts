import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";
import type { Cell } from "./rows.js";
import type { Column } from "./table-formats.js";

// The numbers to compare with are data (data/paper/*.json), each with where it was published. Nothing here computes.

/** A table of published values, or the published points of a figure. */
export interface PaperTable {
  /** "table-2", "figure-1", …: the file's name without .json */
  id: string;
  /** section of the paper that it belongs to, e.g. "3.3" */
  section: string;
  /** a key of data/paper/sources.json, which has the publications */
  source: string;
  /** where in the source, e.g. "Table 2" */
  where: string;
  title: string;
  /** what a reader must know before comparing */
  note?: string;
  /** the column that names a row; a table that shows our values beside these joins on it */
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
  /** a key of data/paper/sources.json, which has the publications */
  source: string;
  where: string;
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
