import type { Shown } from "../../wire/index.js";
import type { Grid } from "./grid.js";
import { gridHtml, gridText } from "./grid.js";
import type { Renderer } from "./renderer.js";
import { propertiesOf } from "./renderer.js";
import { count } from "./words.js";

/** What DataFrame and Series of danfojs have in common. */
interface DanfoLike {
  $data: readonly unknown[];
  $isSeries: boolean;
  columns: readonly unknown[];
  index: readonly unknown[];
  dtypes: readonly unknown[];
}

/** A frame that gives its rows as records, as this project's library does. */
interface RowsLike {
  length: number;
  columns: readonly string[];
  rows(): readonly Record<string, unknown>[];
}

/** Data frames and series of danfojs, recognised by their shape, and frames of records. */
export const dataFrames: Renderer = {
  what: "a data frame",
  render(value) {
    const object = propertiesOf(value);
    if (!object || !Array.isArray(object["columns"])) return undefined;
    if (isDanfo(object)) return shown(object.$isSeries ? seriesGrid(object) : frameGrid(object));
    if (isRows(object)) return shown(rowsGrid(object));
    return undefined;
  },
};

function shown(grid: Grid): Shown {
  return { data: { "text/html": gridHtml(grid), "text/plain": gridText(grid) }, metadata: {} };
}

function isDanfo(object: object): object is DanfoLike {
  const frame = object as Partial<DanfoLike>;
  return (
    Array.isArray(frame.$data) &&
    Array.isArray(frame.index) &&
    Array.isArray(frame.dtypes) &&
    typeof frame.$isSeries === "boolean"
  );
}

function isRows(object: object): object is RowsLike {
  const frame = object as Partial<RowsLike>;
  return (
    typeof frame.rows === "function" &&
    typeof frame.length === "number" &&
    frame.columns?.every((name) => typeof name === "string") === true
  );
}

function frameGrid({ $data, columns, index }: DanfoLike): Grid {
  return {
    columns: columns.map(String),
    rows: $data.length,
    index: (row) => String(index[row]),
    cell: (row, column) => ($data[row] as readonly unknown[])[column],
  };
}

function seriesGrid({ $data, columns, index, dtypes }: DanfoLike): Grid {
  return {
    columns: [String(columns[0])],
    rows: $data.length,
    index: (row) => String(index[row]),
    cell: (row) => $data[row],
    summary: `${count($data.length, "value")}, ${String(dtypes[0] ?? "no type")}`,
  };
}

function rowsGrid(frame: RowsLike): Grid {
  const rows = frame.rows();
  return {
    columns: frame.columns,
    rows: rows.length,
    index: String,
    cell: (row, column) => rows[row]![frame.columns[column]!],
  };
}
