import type { DeclaredParameter, Translator } from "./translator";
import { isPlainName, literalWriter, quoted } from "./values";

const literal = literalWriter({
  none: () => "None",
  boolean: (value) => (value ? "True" : "False"),
  text: (value) => quoted(value),
  integer: String,
  nan: "float('nan')",
  infinity: "float('inf')",
  minusInfinity: "float('-inf')",
  list: (items) => `[${items.join(", ")}]`,
  mapping: (entries) => `{${entries.map(([key, value]) => `${quoted(key)}: ${value}`).join(", ")}}`,
});

/** Python, with papermill's spelling of values and its reading of a parameters cell. */
export const pythonTranslator: Translator = {
  comment: (text) => `# ${text}`.trim(),
  literal,
  assign: (name, value) => `${name} = ${literal(value)}`,
  isName: (name) => isPlainName(name) && !KEYWORDS.has(name),
  inspect: (source) => Promise.resolve(inspect(source)),
};

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

/** `name: type = default  # type: other type help`. */
const ASSIGNMENT =
  /^([\p{L}\p{N}_]+)\s*(?::\s*["']?([\p{L}\p{N}_][\p{L}\p{N}_[\],\s]*)["']?\s*)?=\s*(.*?)(?:\s*#\s*(?:type:\s*(\S*)\s*)?(.*))?$/u;

/**
 * The assignments of a cell. A value may go on over lines, without the comments in it; the comment after its last line
 * is its help. A line with two `=` is not understood, as in papermill.
 */
function inspect(source: string): DeclaredParameter[] {
  const definitions: string[][] = [[]];
  for (const line of source.split("\n")) {
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    if (/^\s/.test(line)) {
      const open = definitions.at(-1);
      if (open && open.length > 0) open.push(line); // inside a value, not inside an `if`
      continue;
    }
    const equals = line.split("=").length - 1;
    if (equals > 0) definitions.push([]);
    if (equals <= 1) definitions.at(-1)?.push(line);
  }
  return definitions.flatMap((lines): DeclaredParameter[] => {
    const match = ASSIGNMENT.exec(flatten(lines));
    if (!match) return [];
    const [, name = "", annotation, value = "", comment, help] = match;
    const type = annotation?.trim() || comment || undefined;
    return [{ name, type, defaultSource: value.trim(), ...(help?.trim() ? { help: help.trim() } : {}) }];
  });
}

function flatten(lines: readonly string[]): string {
  return lines
    .map((line, index) => (index < lines.length - 1 ? line.replace(/#.*/, "") : line).trim())
    .join("");
}
