import type { Translator } from "./translator.js";
import { integerWithSuffix, isPlainName, literalWriter, quoted } from "./values.js";

const literal = literalWriter({
  none: () => "None",
  boolean: String,
  text: (value) => quoted(value),
  integer: integerWithSuffix,
  nan: "nan",
  infinity: "infinity",
  minusInfinity: "-infinity",
  list: (items) => `[ ${items.join("; ")} ]`,
  mapping(entries) {
    const pairs = entries.map(([key, value]) => `(${quoted(key)}, ${value} :> IComparable)`);
    return `[ ${pairs.join("; ")} ] |> Map.ofList`;
  },
});

/** F#, in .NET Interactive. */
export const fsharpTranslator: Translator = {
  comment: (text) => `(* ${text} *)`,
  literal,
  tellsFloats: true,
  assign: (name, value) => `let ${name} = ${literal(value)}`,
  isName: isPlainName,
};
