import type { Translator } from "./translator.js";
import { integerWithSuffix, isPlainName, literalWriter, noSpelling, quoted } from "./values.js";

const literal = literalWriter({
  none: () => noSpelling("null (None)", "C#, whose var needs a type"),
  boolean: String,
  text: (value) => quoted(value),
  integer: integerWithSuffix,
  nan: "double.NaN",
  infinity: "double.PositiveInfinity",
  minusInfinity: "double.NegativeInfinity",
  list: (items) => `new [] { ${items.join(", ")} }`,
  mapping(entries) {
    const pairs = entries.map(([key, value]) => `{ ${quoted(key)} , ${value} }`);
    return `new Dictionary<string,Object>{ ${pairs.join(", ")} }`;
  },
});

/** C#, in .NET Interactive. */
export const csharpTranslator: Translator = {
  comment: (text) => `// ${text}`.trim(),
  literal,
  tellsFloats: true,
  assign: (name, value) => `var ${name} = ${literal(value)};`,
  isName: isPlainName,
};
