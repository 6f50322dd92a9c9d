import { isAbsolute, relative } from "node:path";
import { executionOf } from "./names.js";

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const PLAIN = "\u001b[0m";

/** Lines of code shown before and after the one an error is in. */
const AROUND = 2;

/** `In [3]:2:7`, or the file's path from the working directory, if it lies there. */
export function placeLabel(
  { source, line, column }: { source: string; line: number; column: number },
  labelOfCell: (execution: number) => string | undefined,
  cwd: string,
): string {
  const execution = executionOf(source);
  const inside = relative(cwd, source);
  const file = inside.startsWith("..") || isAbsolute(inside) ? source : inside;
  return `${execution === undefined ? file : (labelOfCell(execution) ?? "In [ ]")}:${line}:${column}`;
}

/** The lines around a place, counted from 1, with a mark under it. */
export function codeFrame(
  code: string,
  { line, column, length = 1 }: { line: number; column: number; length?: number },
): string[] {
  const all = code.split("\n");
  const first = Math.max(1, line - AROUND);
  const last = Math.min(all.length, line + AROUND);
  const width = String(last).length;
  const lines: string[] = [];
  for (let number = first; number <= last; number++) {
    const here = number === line;
    const written = all[number - 1] ?? "";
    lines.push(`${here ? ">" : " "} ${DIM}${String(number).padStart(width)} |${PLAIN} ${written}`.trimEnd());
    if (!here) continue;
    const marks = Math.max(1, Math.min(length, written.length - column + 1));
    // Tabs before the place are kept, so that the mark stands under it whatever their width.
    const indent = written.slice(0, column - 1).replace(/[^\t]/g, " ");
    lines.push(`  ${" ".repeat(width)} ${DIM}|${PLAIN} ${indent}${RED}${"^".repeat(marks)}${PLAIN}`);
  }
  return lines;
}
