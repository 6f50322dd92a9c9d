import type { Translator } from "./translator.js";
import { integerWithSuffix, isPlainName, literalWriter, quoted } from "./values.js";

const literal = literalWriter({
  none: () => "None",
  boolean: String,
  text: (value) => quoted(value),
  integer: integerWithSuffix,
  nan: "Double.NaN",
  infinity: "Double.PositiveInfinity",
  minusInfinity: "Double.NegativeInfinity",
  list: (items) => `Seq(${items.join(", ")})`,
  mapping: (entries) => `Map(${entries.map(([key, value]) => `${quoted(key)} -> ${value}`).join(", ")})`,
});

/** Scala, also in Spark's kernels. */
export const scalaTranslator: Translator = {
  comment: (text) => `// ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `val ${name} = ${literal(value)}`,
  isName: isPlainName,
};
