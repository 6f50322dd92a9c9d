import type { Translator } from "./translator.js";
import { isPlainName, literalWriter, quoted } from "./values.js";

const text = (value: string): string => quoted(value, '`"');

const literal = literalWriter({
  none: () => "$Null",
  boolean: (value) => (value ? "$True" : "$False"),
  text,
  integer: String,
  nan: "[double]::NaN",
  infinity: "[double]::PositiveInfinity",
  minusInfinity: "[double]::NegativeInfinity",
  list: (items) => `@(${items.join(", ")})`,
  mapping: (entries) => `@{${entries.map(([key, value]) => `${text(key)} = ${value}`).join("\n ")}}`,
});

/** PowerShell, in .NET Interactive. */
export const powershellTranslator: Translator = {
  comment: (text) => `# ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `$${name} = ${literal(value)}`,
  isName: isPlainName,
};
