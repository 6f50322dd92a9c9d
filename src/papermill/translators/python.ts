import { readPythonDeclarations } from "../typed/python-declarations.js";
import type { Translator } from "./translator.js";
import { isPlainName, literalWriter, quoted } from "./values.js";

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
  tellsFloats: true,
  assign: (name, value) => `${name} = ${literal(value)}`,
  isName: (name) => isPlainName(name) && !KEYWORDS.has(name),
  inspect: (source) => Promise.resolve(readPythonDeclarations(source)),
};

const KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);
