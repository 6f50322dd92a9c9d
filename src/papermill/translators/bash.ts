import type { Translator } from "./translator.js";
import { literalWriter, noSpelling } from "./values.js";

const literal = literalWriter({
  none: () => "",
  boolean: String,
  text: shellQuote,
  integer: String,
  nan: "nan",
  infinity: "inf",
  minusInfinity: "-inf",
  list: (items) => `(${items.join(" ")})`,
  mapping: () => noSpelling("a mapping", "Bash"),
});

/** Bash. Text is quoted only where it must be. */
export const bashTranslator: Translator = {
  comment: (text) => `# ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `${name}=${literal(value)}`,
  isName: (name) => /^[A-Za-z_]\w*$/.test(name),
};

/** As Python's shlex.quote. */
function shellQuote(text: string): string {
  if (text !== "" && /^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
