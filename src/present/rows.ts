import { stringify } from "csv-stringify/sync";

/** One value of a table or of a figure's data; a list is a list of tokens. */
export type Cell = string | number | boolean | null | readonly string[];

/** A record of data: column key to value. A missing key is an empty cell. */
export type Row = Readonly<Record<string, Cell | undefined>>;

/** The keys of `rows`, in the order in which they first appear. */
export function columnKeys(rows: readonly Row[]): string[] {
  const keys = new Set<string>();
  for (const row of rows) for (const key of Object.keys(row)) keys.add(key);
  return [...keys];
}

/** A cell as a CSV field: numbers with every digit, a token list as JSON (a token may hold any separator), null as nothing. */
function csvField(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "";
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** CSV (RFC 4180, LF) with the keys as header, full precision, nothing masked: the data behind a rendered thing. */
export function toCsv(rows: readonly Row[], keys: readonly string[] = columnKeys(rows)): string {
  return stringify([[...keys], ...rows.map((row) => keys.map((key) => csvField(row[key])))]);
}

/**
 * A value fit for JSON that loses nothing: NaN and infinities, which JSON has no words for, become strings
 * ("NaN", "Infinity", "-Infinity") and a missing cell becomes null.
 */
function jsonCell(cell: Cell | undefined): Cell {
  if (cell === undefined) return null;
  return typeof cell === "number" && !Number.isFinite(cell) ? String(cell) : cell;
}

/** {@link jsonCell} of every cell, keys in the given order. */
export function jsonRows(
  rows: readonly Row[],
  keys: readonly string[] = columnKeys(rows),
): Record<string, Cell>[] {
  return rows.map((row) => Object.fromEntries(keys.map((key) => [key, jsonCell(row[key])])));
}
