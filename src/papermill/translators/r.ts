import type { Translator } from "./translator.js";
import { literalWriter, quoted } from "./values.js";

const literal = literalWriter({
  none: () => "NULL",
  boolean: (value) => (value ? "TRUE" : "FALSE"),
  text: (value) => quoted(value),
  integer: String,
  nan: "NaN",
  infinity: "Inf",
  minusInfinity: "-Inf",
  list: (items) => `list(${items.join(", ")})`,
  mapping: (entries) => `list(${entries.map(([key, value]) => `${quoted(key)} = ${value}`).join(", ")})`,
});

/** R. Lists and mappings are both `list(…)`. */
export const rTranslator: Translator = {
  comment: (text) => `# ${text}`.trim(),
  literal,
  tellsFloats: true,
  // A name cannot begin with `_`: papermill drops it, and notebooks count on that.
  assign: (name, value) => `${name.replace(/^_+/, "")} = ${literal(value)}`,
  isName: (name) => /^_*(?:\p{L}|\.(?!\d))[\p{L}\p{N}_.]*$/u.test(name),
};
