import {
  ANY,
  choicesOf,
  type DeclaredParameter,
  type LiteralValue,
  NULL,
  type ParameterType,
  unionOf,
} from "./types.js";

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

/**
 * A Python annotation, as far as papermill's users write them: int, float, str, bool, None, list, dict, tuple, Optional,
 * Union, Literal, `|`, nested, with `typing.` or without. Anything else takes any value.
 */
function readPythonType(text: string): ParameterType {
  const alternatives = splitOutside(text, "|");
  if (alternatives.length > 1) return unionOf(alternatives.map(readPythonType));
  const [, name = "", inner] = /^(?:typing\.|t\.)?(\w+)\s*(?:\[(.*)\])?$/s.exec(text.trim()) ?? [];
  const parameters = inner === undefined ? [] : splitOutside(inner, ",");
  const of = (at: number): ParameterType => {
    const parameter = parameters[at];
    return parameter === undefined ? ANY : readPythonType(parameter.replace(/^(["'])(.*)\1$/, "$2"));
  };
  switch (name) {
    case "str":
      return { kind: "string" };
    case "int":
      return { kind: "integer" };
    case "float":
      return { kind: "number" };
    case "bool":
      return { kind: "boolean" };
    case "None":
    case "NoneType":
      return NULL;
    case "list":
    case "List":
    case "Sequence":
    case "Iterable":
      return { kind: "array", element: of(0) };
    case "dict":
    case "Dict":
    case "Mapping":
      return { kind: "object", fields: [], rest: of(1) };
    case "tuple":
    case "Tuple": {
      if (parameters.length === 0) return { kind: "array", element: ANY };
      if (parameters.at(-1) === "...") return { kind: "array", element: of(0) };
      const elements = parameters.map((_, at) => of(at));
      return { kind: "tuple", elements, required: elements.length };
    }
    case "Optional":
      return unionOf([of(0), NULL]);
    case "Union":
      return unionOf(parameters.map((_, at) => of(at)));
    case "Literal": {
      const values = parameters.map(literal);
      if (values.includes(undefined)) return ANY;
      return unionOf(values.map((value) => ({ kind: "literal", value: value as LiteralValue })));
    }
    default:
      return ANY;
  }
}

function literal(text: string): LiteralValue | undefined {
  if (text === "True" || text === "False") return text === "True";
  if (text === "None") return null;
  const quoted = /^(["'])(.*)\1$/.exec(text);
  if (quoted) return quoted[2]?.includes("\\") ? undefined : quoted[2];
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
}

/** Parts between separators that stand in no brackets and no quotes, trimmed. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  let depth = 0;
  let quote = "";
  for (const character of text) {
    if (quote) quote = character === quote ? "" : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === "[") depth++;
    else if (character === "]") depth--;
    if (character === separator && depth === 0 && !quote) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim()).filter((part, at) => part !== "" || at < parts.length - 1);
}
