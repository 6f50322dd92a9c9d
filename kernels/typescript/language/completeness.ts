import type { Completeness } from "../wire/messages.js";
import { parseCell } from "./parse.js";

/** Messages of the parser that more code could answer: something is open at the end. */
const OPEN = new Set([
  1010, // '*/' expected.
  1160, // Unterminated template literal.
  1161, // Unterminated regular expression literal.
]);

const UNTERMINATED_STRING = 1002;

/** Whether code is whole, wants more, or is beyond help. */
export function completeness(code: string): Completeness {
  // Two empty lines at the end say that the writer is done.
  const whole = code.trimEnd();
  const [first] = parseCell(whole).parseDiagnostics;
  if (!first) return { status: "complete" };
  const end = whole.length;
  // A string ends with its line, unless a backslash stands before the line's end.
  const open =
    first.code === UNTERMINATED_STRING
      ? whole.endsWith("\\")
      : first.start >= end || (OPEN.has(first.code) && first.start + first.length >= end);
  if (!open || /\n\s*\n\s*$/.test(code)) return { status: "invalid" };
  return { status: "incomplete", indent: indentAfter(whole) };
}

/** The indentation of the next line: two more than the last line's when that one opens a bracket. */
function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf("\n") + 1);
  const current = /^[ \t]*/.exec(line)?.[0] ?? "";
  const step = current.includes("\t") ? "\t" : "  ";
  return /[{([]\s*(\/\/.*)?$|=>\s*$/.test(line) ? current + step : current;
}
