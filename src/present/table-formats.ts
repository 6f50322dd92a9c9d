import { formatNumber } from "./format.js";
import { mask, type MaskOptions } from "./mask.js";
import type { Cell } from "./rows.js";
import { escape as escapeHtml } from "html-escaper";

/** A column of a table: which value, under which heading, written how. */
export interface Column {
  key: string;
  label: string;
  /** shown in parentheses after the label */
  unit?: string;
  /** decimals; default: three significant digits */
  digits?: number;
  /** default "number"; "percent" takes shares of one; "signed" always shows the sign. Texts and token lists ignore it. */
  kind?: "number" | "percent" | "signed";
  /**
   * the column's texts name vectors in plain notation, W_toxic or MLP.v_770^19: HTML and LaTeX set indices and exponents
   * as such
   */
  math?: boolean;
  /** keys of its confidence interval's ends, shown after it as "from" and "to" */
  interval?: readonly [low: string, high: string];
  /** shows the published value after it, as "…, paper", taken from what the table is set beside */
  paper?: boolean;
}

/** What every text format renders: a table whose words are already masked as wanted. */
export interface Rendered {
  name: string;
  /** "Table 2" or undefined */
  number: string | undefined;
  title: string;
  caption: string;
  columns: readonly Column[];
  rows: readonly Record<string, Cell>[];
  mask: MaskOptions;
}

/** White space of a token made visible, so that " a" and "a" are told apart: a leading or trailing space becomes ␣. */
function visibleToken(token: string): string {
  return token
    .replace(/^ +| +$/g, (spaces) => "␣".repeat(spaces.length))
    .replace(/\r/g, "␍")
    .replace(/\n/g, "↵")
    .replace(/\t/g, "⇥");
}

/** A cell in words: numbers in their column's style, token lists joined, an absent value as an en dash. */
export function cellText(cell: Cell | undefined, column: Column, options: MaskOptions): string {
  if (cell === null || cell === undefined) return "–";
  if (typeof cell === "number") return formatNumber(cell, column);
  if (typeof cell === "boolean") return cell ? "yes" : "no";
  if (typeof cell === "string") return mask(cell, options);
  return cell.map((token) => visibleToken(mask(token, options))).join(", ");
}

/** Whether a column is set flush right: every value in it is a number or absent, and one is a number. */
function isNumeric(rendered: Rendered, column: Column): boolean {
  const cells = rendered.rows.map((row) => row[column.key] ?? null);
  return (
    cells.some((cell) => typeof cell === "number") &&
    cells.every((cell) => cell === null || typeof cell === "number")
  );
}

/** A column's heading with its unit. */
function heading(column: Column): string {
  return column.unit ? `${column.label} (${column.unit})` : column.label;
}

/** "Table 2. Title." and the caption as one run of text. */
function fullCaption(rendered: Rendered): { lead: string; rest: string } {
  const title = rendered.title.replace(/\.$/, "");
  return {
    lead: `${rendered.number ? `${rendered.number}. ` : ""}${mask(title, rendered.mask)}.`,
    rest: mask(rendered.caption, rendered.mask),
  };
}

/** `W_toxic`, `v_770^19`: a letter that stands alone, an index, perhaps an exponent. */
export const notation = /(?<!\p{L})(\p{L})_([\p{L}\p{N}]+)(?:\^([\p{L}\p{N}]+))?/gu;

/** Escaped text with its plain mathematical notation set by `write` (symbol, index, exponent). */
function setMath(
  text: string,
  escape: (text: string) => string,
  write: (symbol: string, index: string, exponent: string | undefined) => string,
): string {
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(notation)) {
    const [whole, symbol = "", index = "", exponent] = match;
    parts.push(escape(text.slice(from, match.index)), write(symbol, index, exponent));
    from = match.index + whole.length;
  }
  return parts.join("") + escape(text.slice(from));
}

/** Text as HTML with its plain mathematical notation, W_toxic or MLP.v_770^19, set as such. */
export function htmlMath(text: string): string {
  return setMath(
    text,
    escapeHtml,
    (symbol, index, exponent) =>
      `${escapeHtml(symbol)}<sub>${index}</sub>${exponent ? `<sup>${exponent}</sup>` : ""}`,
  );
}

function htmlCell(cell: Cell | undefined, column: Column, options: MaskOptions): string {
  const text = cellText(cell, column, options);
  return column.math && typeof cell === "string" ? htmlMath(text) : escapeHtml(text);
}

function latexCell(cell: Cell | undefined, column: Column, options: MaskOptions): string {
  const text = cellText(cell, column, options);
  // a row that begins with a bracket or star would be read as an argument of the line break before it
  const guard = (latex: string): string => latex.replace(/^[[*]/, "{$&}");
  if (!column.math || typeof cell !== "string") return guard(escapeLatex(text));
  const upright = (part: string): string => (/^\d+$/.test(part) ? part : `\\mathrm{${part}}`);
  return guard(
    setMath(
      text,
      escapeLatex,
      (symbol, index, exponent) =>
        `$${symbol}_{${upright(index)}}${exponent ? `^{${upright(exponent)}}` : ""}$`,
    ),
  );
}

/** An HTML fragment: caption, column headings and the first cell of each row as headings with scope. */
export function toHtml(rendered: Rendered): string {
  const { lead, rest } = fullCaption(rendered);
  const align = (column: Column): string =>
    ` style="text-align:${isNumeric(rendered, column) ? "right" : "left"}"`;
  const head = rendered.columns
    .map((column) => `<th scope="col"${align(column)}>${escapeHtml(heading(column))}</th>`)
    .join("");
  const body = rendered.rows.map((row) => {
    const cells = rendered.columns.map((column, index) => {
      const text = htmlCell(row[column.key], column, rendered.mask);
      return index === 0
        ? `<th scope="row"${align(column)}>${text}</th>`
        : `<td${align(column)}>${text}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return [
    `<table class="alignscope-table" id="${escapeHtml(rendered.name)}">`,
    `<caption style="text-align:left"><strong>${escapeHtml(lead)}</strong>${rest ? ` ${escapeHtml(rest)}` : ""}</caption>`,
    `<thead><tr>${head}</tr></thead>`,
    `<tbody>`,
    ...body,
    `</tbody>`,
    `</table>`,
    "",
  ].join("\n");
}

const pageStyle = `body{margin:2rem;font:16px/1.5 "DejaVu Sans",Verdana,sans-serif;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;border-top:2px solid;border-bottom:2px solid;font-variant-numeric:tabular-nums}
caption{max-width:60rem;padding-bottom:.75rem}
th,td{padding:.35rem .75rem;vertical-align:top}
thead th{border-bottom:1px solid}tbody th{font-weight:normal}tbody tr:nth-child(even){background:#f5f5f5}`;

/** {@link toHtml} as a page of its own. */
export function toHtmlPage(rendered: Rendered): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(fullCaption(rendered).lead)}</title>
<style>
${pageStyle}
</style>
</head>
<body>
${toHtml(rendered)}</body>
</html>
`;
}

/** Every character that Markdown may read as markup gets a backslash; a line break becomes a space. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\r?\n/g, " ").replace(/[\\`*_{}[\]<>|~$]/g, "\\$&");
}

/** A GitHub-flavoured Markdown table under its caption. */
export function toMarkdown(rendered: Rendered): string {
  const { lead, rest } = fullCaption(rendered);
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [
    `**${escapeMarkdown(lead)}**${rest ? ` ${escapeMarkdown(rest)}` : ""}`,
    "",
    line(rendered.columns.map((column) => escapeMarkdown(heading(column)))),
    line(rendered.columns.map((column) => (isNumeric(rendered, column) ? "---:" : ":---"))),
    ...rendered.rows.map((row) =>
      line(
        rendered.columns.map((column) => escapeMarkdown(cellText(row[column.key], column, rendered.mask))),
      ),
    ),
    "",
  ].join("\n");
}

const latexWords: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
  "␣": "\\textvisiblespace{}",
  "–": "--",
  "−": "$-$",
  "∞": "$\\infty$",
  "≤": "$\\leq$",
  "≥": "$\\geq$",
  "±": "$\\pm$",
  "×": "$\\times$",
  "·": "$\\cdot$",
  α: "$\\alpha$",
  β: "$\\beta$",
  δ: "$\\delta$",
  Δ: "$\\Delta$",
  σ: "$\\sigma$",
  "↵": "$\\hookleftarrow$",
  "⇥": "$\\mapsto$",
  "→": "$\\to$",
  "…": "\\ldots{}",
  "\u00a0": "~",
};

/** Text with LaTeX's special characters written out; the symbols of our own rendering become their commands. */
function escapeLatex(text: string): string {
  return text
    .replace(/\r?\n/g, " ")
    .replace(
      /[\\~^<>|"␣–−∞≤≥±×·αβδΔσ↵⇥→…\u00a0]|[&%$#_{}]/gu,
      (character) => latexWords[character] ?? `\\${character}`,
    );
}

/** A floating table with booktabs rules (`\usepackage{booktabs}`, `[T1]{fontenc}`), caption above, label `tab:<name>`. */
export function toLatex(rendered: Rendered): string {
  const { lead, rest } = fullCaption({ ...rendered, number: undefined });
  const line = (cells: string[]): string => `${cells.join(" & ")} \\\\`;
  return [
    ...(rendered.number ? [`% ${rendered.number}`] : []),
    "\\begin{table}[t]",
    "\\centering",
    `\\caption{\\textbf{${escapeLatex(lead)}}${rest ? ` ${escapeLatex(rest)}` : ""}}`,
    `\\label{tab:${rendered.name}}`,
    `\\begin{tabular}{${rendered.columns.map((column) => (isNumeric(rendered, column) ? "r" : "l")).join("")}}`,
    "\\toprule",
    line(rendered.columns.map((column) => escapeLatex(heading(column)))),
    "\\midrule",
    ...rendered.rows.map((row) =>
      line(rendered.columns.map((column) => latexCell(row[column.key], column, rendered.mask))),
    ),
    "\\bottomrule",
    "\\end{tabular}",
    "\\end{table}",
    "",
  ].join("\n");
}

/** Columns padded with spaces, for a terminal. */
export function toText(rendered: Rendered): string {
  const { lead, rest } = fullCaption(rendered);
  const grid = [
    rendered.columns.map(heading),
    ...rendered.rows.map((row) =>
      rendered.columns.map((column) =>
        cellText(row[column.key], column, rendered.mask).replace(/\r?\n/g, "↵"),
      ),
    ),
  ];
  const widths = rendered.columns.map((_, index) =>
    Math.max(...grid.map((line) => [...(line[index] ?? "")].length)),
  );
  const pad = (text: string, index: number, column: Column): string => {
    const space = " ".repeat(Math.max(0, (widths[index] ?? 0) - [...text].length));
    return isNumeric(rendered, column) ? space + text : text + space;
  };
  const lines = grid.map((line) =>
    rendered.columns
      .map((column, index) => pad(line[index] ?? "", index, column))
      .join("  ")
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return [`${lead}${rest ? ` ${rest}` : ""}`, "", ...lines].join("\n");
}
