import { ANY, NULL, unionOf, type LiteralValue, type ParameterType } from "./types.js";

/**
 * A Python annotation, as far as papermill's users write them: int, float, str, bool, None, list, dict, tuple, Optional,
 * Union, Literal, `|`, nested, with `typing.` or without. Anything else takes any value.
 */
export function readPythonType(text: string): ParameterType {
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
