import { inspect } from "node:util";
import { escape as escapeHtml } from "html-escaper";
import { count, shortened } from "./words.js";

/** A table that may be far larger than what is shown of it. */
export interface Grid {
  columns: readonly string[];
  rows: number;
  /** the name of a row */
  index(row: number): string;
  cell(row: number, column: number): unknown;
  /** one line below: "3 rows × 2 columns" unless given */
  summary?: string;
}

/** The first and the last of `length` places; undefined stands for those in between. */
function ends(length: number, most: number): (number | undefined)[] {
  if (length <= most) return Array.from({ length }, (_, place) => place);
  const first = Math.ceil(most / 2);
  const last = most - first;
  return [
    ...Array.from({ length: first }, (_, place) => place),
    undefined,
    ...Array.from({ length: last }, (_, place) => length - last + place),
  ];
}

function summaryOf(grid: Grid): string {
  return grid.summary ?? `${count(grid.rows, "row")} × ${count(grid.columns.length, "column")}`;
}

/** A cell in one line: numbers to six digits, texts bare. */
function cellText(value: unknown): string {
  if (typeof value === "number") {
    return Number.isInteger(value) || !Number.isFinite(value)
      ? String(value)
      : String(Number(value.toPrecision(6)));
  }
  const text =
    typeof value === "string"
      ? value
      : inspect(value, { depth: 1, maxArrayLength: 6, maxStringLength: 60, breakLength: Infinity });
  const inOneLine = shortened(text, 400).replace(/\r\n|[\n\r\u2028\u2029]/g, "⏎");
  return shortened(inOneLine.replace(/\t/g, " "), 80);
}

function read(grid: Grid, row: number, column: number): unknown {
  try {
    return grid.cell(row, column);
  } catch {
    return "(unreadable)";
  }
}

const isNumeric = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

/** The table as HTML, everything in it escaped, in the form that notebook clients style as a data frame. */
export function gridHtml(grid: Grid, { mostRows = 60, mostColumns = 20 } = {}): string {
  const columns = ends(grid.columns.length, mostColumns);
  const heading = columns.map((column) =>
    column === undefined
      ? "<th>…</th>"
      : `<th scope="col">${escapeHtml(cellText(grid.columns[column]))}</th>`,
  );
  const body = ends(grid.rows, mostRows).map((row) => {
    if (row === undefined) return `<tr><th>…</th>${columns.map(() => "<td>…</td>").join("")}</tr>`;
    const cells = columns.map((column) => {
      if (column === undefined) return "<td>…</td>";
      const value = read(grid, row, column);
      const align = isNumeric(value) ? "" : ' style="text-align: left"';
      return `<td${align}>${escapeHtml(cellText(value))}</td>`;
    });
    return `<tr><th scope="row">${escapeHtml(cellText(grid.index(row)))}</th>${cells.join("")}</tr>`;
  });
  return [
    '<table border="1" class="dataframe">',
    `<thead><tr><th></th>${heading.join("")}</tr></thead>`,
    `<tbody>`,
    ...body,
    "</tbody>",
    "</table>",
    `<p>${escapeHtml(summaryOf(grid))}</p>`,
  ].join("\n");
}

/** The table as aligned text: as many columns as fit, numbers to the right. */
export function gridText(grid: Grid, { mostRows = 60, mostColumns = 20, widest = 110 } = {}): string {
  let text = "";
  for (let most = Math.min(mostColumns, grid.columns.length); most >= 0; most -= 1) {
    const lines = textLines(grid, ends(grid.rows, mostRows), ends(grid.columns.length, most));
    text = lines.join("\n");
    if (most <= 2 || lines.every((line) => line.length <= widest)) break;
  }
  return `${text}\n${summaryOf(grid)}`;
}

function textLines(
  grid: Grid,
  rows: readonly (number | undefined)[],
  columns: readonly (number | undefined)[],
): string[] {
  const names = ["", ...rows.map((row) => (row === undefined ? "…" : cellText(grid.index(row))))];
  const padded = [pad(names, false)];
  for (const column of columns) {
    if (column === undefined) {
      padded.push(names.map(() => "…"));
      continue;
    }
    const values = rows.map((row) => (row === undefined ? undefined : read(grid, row, column)));
    const right = values.some(isNumeric) && values.every((value) => typeof value !== "string");
    const texts = values.map((value, place) => (rows[place] === undefined ? "…" : cellText(value)));
    padded.push(pad([cellText(grid.columns[column]), ...texts], right));
  }
  return names.map((_, line) =>
    padded
      .map((column) => column[line])
      .join("  ")
      .trimEnd(),
  );
}

function pad(texts: readonly string[], right: boolean): string[] {
  const width = texts.reduce((most, { length }) => Math.max(most, length), 0);
  return texts.map((text) => (right ? text.padStart(width) : text.padEnd(width)));
}
