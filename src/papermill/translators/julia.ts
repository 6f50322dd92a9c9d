import type { Translator } from "./translator.js";
import { isPlainName, literalWriter, quoted } from "./values.js";

const literal = literalWriter({
  none: () => "nothing",
  boolean: String,
  text: (value) => quoted(value),
  integer: String,
  nan: "NaN",
  infinity: "Inf",
  minusInfinity: "-Inf",
  list: (items) => `[${items.join(", ")}]`,
  mapping: (entries) => `Dict(${entries.map(([key, value]) => `${quoted(key)} => ${value}`).join(", ")})`,
});

/** Julia. */
export const juliaTranslator: Translator = {
  comment: (text) => `# ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `${name} = ${literal(value)}`,
  isName: isPlainName,
};
