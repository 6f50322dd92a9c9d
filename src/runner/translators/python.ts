import type { ParameterValue } from "../options";
import { readPythonDeclarations } from "../typed/python-declarations";
import type { Translator } from "./translator";

/** Python, with papermill's spelling of values. */
export const pythonTranslator: Translator = {
  comment: (text) => `# ${text}`,
  literal,
  assign: (name, value) => `${name} = ${literal(value)}`,
  isName: (name) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) && !KEYWORDS.has(name),
  inspect: (source) => Promise.resolve(readPythonDeclarations(source)),
};

function literal(value: ParameterValue): string {
  if (value === undefined || value === null) return "None";
  switch (typeof value) {
    case "string":
      return stringLiteral(value);
    case "boolean":
      return value ? "True" : "False";
    case "number":
      if (Number.isNaN(value)) return "float('nan')";
      if (!Number.isFinite(value)) return value > 0 ? "float('inf')" : "float('-inf')";
      return Object.is(value, -0) ? "-0.0" : String(value);
    case "bigint":
      return value.toString();
  }
  if (Array.isArray(value)) return `[${(value as readonly ParameterValue[]).map(literal).join(", ")}]`;
  const entries = Object.entries(value).map(([key, entry]) => `${stringLiteral(key)}: ${literal(entry)}`);
  return `{${entries.join(", ")}}`;
}

/** Python's unicode_escape between double quotes. */
function stringLiteral(text: string): string {
  const escaped = [...text].map((character) => {
    const named = NAMED_ESCAPES[character];
    if (named) return named;
    const code = character.codePointAt(0) ?? 0;
    if (code >= 0x20 && code < 0x7f) return character;
    if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
    if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${escaped.join("")}"`;
}

const NAMED_ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  '"': '\\"',
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
