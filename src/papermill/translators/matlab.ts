import type { Translator } from "./translator.js";
import { literalWriter, quoted, unicodeEscape } from "./values.js";

const literal = literalWriter({
  none: () => "NaN",
  boolean: String,
  text: (value) => quoted(value, '""'),
  integer: String,
  nan: "NaN",
  infinity: "Inf",
  minusInfinity: "-Inf",
  list: (items) => `{${items.join(", ")}}`,
  mapping(entries) {
    const keys = entries.map(([key]) => `'${unicodeEscape(key).replaceAll("'", "''")}'`);
    const values = entries.map(([, value]) => value);
    return `containers.Map({${keys.join(", ")}}, {${values.join(", ")}})`;
  },
});

/** MATLAB. Lists are cell arrays, and nothing is NaN, the nearest thing it has. */
export const matlabTranslator: Translator = {
  comment: (text) => `% ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `${name} = ${literal(value)};`,
  isName: (name) => /^[A-Za-z]\w*$/.test(name),
};
