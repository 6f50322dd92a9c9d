import { readFileSync } from "node:fs";
import { CsvError, parse } from "csv-parse/sync";
import { UserError } from "@alignscope/base/errors";

/** Two numbers a and b are equal when |a - b| <= atol + rtol max(|a|, |b|). */
export interface Tolerance {
  rtol: number;
  atol: number;
}

/** A value that moved. */
export interface Moved {
  row: string;
  column: string;
  a: string;
  b: string;
  /** |a - b| / max(|a|, |b|); null for text, and where one of them is no finite number. */
  relative: number | null;
}

export interface DataDifference {
  moved: Moved[];
  /** Rows of the second only. */
  added: string[];
  /** Rows of the first only. */
  missing: string[];
  addedColumns: string[];
  missingColumns: string[];
  /** Values compared. */
  compared: number;
}

type Record_ = Record<string, string>;

/**
 * Compares two CSV files with headers, the data of a table or a figure. Rows are matched by what names them.
 *
 * @param a path of the one, b that of the other
 * @throws UserError naming a file that is no CSV
 */
export function compareCsv(a: string, b: string, tolerance: Tolerance): DataDifference {
  const [first, second] = [read(a), read(b)];
  const columns = first.columns.filter((column) => second.columns.includes(column));
  const keys = keyColumns([first.rows, second.rows], columns);
  const [rowsA, rowsB] = [byName(first.rows, keys), byName(second.rows, keys)];
  const difference: DataDifference = {
    moved: [],
    added: [...rowsB.keys()].filter((name) => !rowsA.has(name)),
    missing: [...rowsA.keys()].filter((name) => !rowsB.has(name)),
    addedColumns: second.columns.filter((column) => !first.columns.includes(column)),
    missingColumns: first.columns.filter((column) => !second.columns.includes(column)),
    compared: 0,
  };
  for (const [row, one] of rowsA) {
    const other = rowsB.get(row);
    if (!other) continue;
    for (const column of columns) {
      const [x, y] = [one[column] ?? "", other[column] ?? ""];
      difference.compared++;
      if (!isSame(x, y, tolerance))
        difference.moved.push({ row, column, a: x, b: y, relative: relative(x, y) });
    }
  }
  return difference;
}

function read(path: string): { columns: string[]; rows: Record_[] } {
  let parsed: string[][];
  try {
    parsed = parse(readFileSync(path, "utf8"), { relax_column_count: true, bom: true });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(
      `${path} is no CSV (${error.message}): \`alignscope verify\` says whether it was changed`,
    );
  }
  const [columns = [], ...lines] = parsed;
  const rows = lines.map((line) => Object.fromEntries(columns.map((column, i) => [column, line[i] ?? ""])));
  return { columns, rows };
}

/**
 * The columns that name a row: those with words in them, and, until names are unique in both, from the left those of
 * whole numbers, as a layer's. Values that may move make no good names.
 */
function keyColumns(sides: readonly Record_[][], columns: readonly string[]): string[] {
  const all = sides.flat();
  const isText = (column: string): boolean =>
    all.some((row) => row[column] !== "") &&
    all.every((row) => !isNumber(row[column] ?? "") || row[column] === "");
  const isWhole = (column: string): boolean => all.every((row) => /^-?\d+$/.test(row[column] ?? ""));
  const keys = columns.filter(isText);
  const isUnique = (): boolean =>
    sides.every((rows) => new Set(rows.map((row) => nameOf(row, keys))).size === rows.length);
  for (const column of columns) {
    if (isUnique()) break;
    if (!keys.includes(column) && isWhole(column)) keys.push(column);
  }
  return columns.filter((column) => keys.includes(column));
}

/** Rows by name; those that share one are told apart by their number. */
function byName(rows: readonly Record_[], keys: readonly string[]): Map<string, Record_> {
  const named = new Map<string, Record_>();
  rows.forEach((row, index) => {
    let name = nameOf(row, keys) || `row ${index + 1}`;
    for (let again = 2; named.has(name); again++) name = `${nameOf(row, keys)} (${again})`;
    named.set(name, row);
  });
  return named;
}

function nameOf(row: Record_, keys: readonly string[]): string {
  return keys
    .map((key) => (isNumber(row[key] ?? "") ? `${key} ${row[key]}` : row[key]))
    .filter((word) => word !== "")
    .join(", ");
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && (Number.isFinite(Number(text)) || /^(NaN|-?Infinity)$/.test(text));
}

function isSame(x: string, y: string, { rtol, atol }: Tolerance): boolean {
  if (x === y) return true;
  if (!isNumber(x) || !isNumber(y)) return false;
  const [a, b] = [Number(x), Number(y)];
  return Math.abs(a - b) <= atol + rtol * Math.max(Math.abs(a), Math.abs(b));
}

function relative(x: string, y: string): number | null {
  const [a, b] = [Number(x), Number(y)];
  if (!isNumber(x) || !isNumber(y) || !Number.isFinite(a - b)) return null;
  return a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
}
