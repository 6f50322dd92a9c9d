import type { DeclaredParameter } from "../translators/translator.js";
import { readPythonType } from "./python-types.js";
import { choicesOf } from "./types.js";

/** An assignment at the start of a line; a comparison is none. */
const BEGINS = /^[\p{L}_][\p{L}\p{N}_]*\s*(?::[^=#]*)?=(?!=)/u;

/** papermill's reading of one assignment: name, annotation (quoted or not), value, `# type: T`, help. */
const ASSIGNMENT =
  /^([\p{L}_][\p{L}\p{N}_]*)\s*(?::\s*(.+?)\s*)?=(?!=)\s*((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'#])*?)\s*(?:#\s*(?:type:\s*(\S*)\s*)?(.*))?$/u;

/**
 * The variables that a Python cell assigns, by papermill's rules: one assignment over one line or several, a comment at
 * its end (on the last line) is its help, the type is the annotation or a comment `# type: T`. Nothing is evaluated.
 */
export function readPythonDeclarations(source: string): DeclaredParameter[] {
  const assignments: string[][] = [];
  let open: string[] | undefined;
  for (const line of source.split(/\r?\n/)) {
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    if (BEGINS.test(line)) assignments.push((open = [line]));
    else if (/^[\s)\]}]/.test(line)) open?.push(line);
    else open = undefined; // a statement of another kind
  }
  return assignments.flatMap((lines) => {
    const [, name, annotation, defaultSource, commented, help] = ASSIGNMENT.exec(joined(lines)) ?? [];
    if (name === undefined) return [];
    const type = annotation?.replace(/^(["'])(.*)\1$/, "$2") ?? (commented || undefined);
    const structure = type === undefined ? undefined : readPythonType(type);
    const choices = structure && choicesOf(structure);
    return [{ name, type, defaultSource, structure, choices, help: help?.trim() || undefined }];
  });
}

/** In one line; comments count on the last one only, as in papermill. */
function joined(lines: readonly string[]): string {
  const last = lines.at(-1) ?? "";
  const others = lines.slice(0, -1).map((line) => {
    const code = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'#])*/.exec(line)?.[0] ?? line;
    return code.trim();
  });
  return [...others, last.trim()].join("");
}
