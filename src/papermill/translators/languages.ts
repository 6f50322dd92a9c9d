import { readPythonDeclarations } from "../typed/python.js";
import {
  integerWithSuffix,
  isPlainName,
  literalWriter,
  noSpelling,
  quoted,
  type Translator,
  unicodeEscape,
  type ValueWriter,
} from "./translator.js";
import { javascriptTranslator, typescriptTranslator } from "./typescript.js";

/** The translator of a language whose values are all spelt by kind, and whose comments end with their line. */
function translator(
  commentSign: string,
  assign: (name: string, literal: string) => string,
  values: ValueWriter,
): Translator {
  const literal = literalWriter(values);
  return {
    comment: (text) => `${commentSign} ${text}`.trim(),
    literal,
    tellsFloats: true,
    assign: (name, value) => assign(name, literal(value)),
    isName: isPlainName,
  };
}

const PYTHON_KEYWORDS = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from global " +
    "if import in is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

/** Python, with papermill's spelling of values and its reading of a parameters cell. */
const python: Translator = {
  ...translator("#", (name, value) => `${name} = ${value}`, {
    none: () => "None",
    boolean: (value) => (value ? "True" : "False"),
    text: (value) => quoted(value),
    integer: String,
    nan: "float('nan')",
    infinity: "float('inf')",
    minusInfinity: "float('-inf')",
    list: (items) => `[${items.join(", ")}]`,
    mapping: (entries) => `{${entries.map(([key, value]) => `${quoted(key)}: ${value}`).join(", ")}}`,
  }),
  isName: (name) => isPlainName(name) && !PYTHON_KEYWORDS.has(name),
  inspect: (source) => Promise.resolve(readPythonDeclarations(source)),
};

/** R. Lists and mappings are both `list(…)`. A name cannot begin with `_`: papermill drops it, and notebooks count on that. */
const r: Translator = {
  ...translator("#", (name, value) => `${name.replace(/^_+/, "")} = ${value}`, {
    none: () => "NULL",
    boolean: (value) => (value ? "TRUE" : "FALSE"),
    text: (value) => quoted(value),
    integer: String,
    nan: "NaN",
    infinity: "Inf",
    minusInfinity: "-Inf",
    list: (items) => `list(${items.join(", ")})`,
    mapping: (entries) => `list(${entries.map(([key, value]) => `${quoted(key)} = ${value}`).join(", ")})`,
  }),
  isName: (name) => /^_*(?:\p{L}|\.(?!\d))[\p{L}\p{N}_.]*$/u.test(name),
};

/** Scala, also in Spark's kernels. */
const scala = translator("//", (name, value) => `val ${name} = ${value}`, {
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

const julia = translator("#", (name, value) => `${name} = ${value}`, {
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

/** MATLAB. Lists are cell arrays, and nothing is NaN, the nearest thing it has. */
const matlab: Translator = {
  ...translator("%", (name, value) => `${name} = ${value};`, {
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
  }),
  isName: (name) => /^[A-Za-z]\w*$/.test(name),
};

/** C#, in .NET Interactive. */
const csharp = translator("//", (name, value) => `var ${name} = ${value};`, {
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

/** F#, in .NET Interactive. */
const fsharp: Translator = {
  ...translator("//", (name, value) => `let ${name} = ${value}`, {
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
  }),
  comment: (text) => `(* ${text} *)`,
};

const powershellText = (value: string): string => quoted(value, '`"');

/** PowerShell, in .NET Interactive. */
const powershell = translator("#", (name, value) => `$${name} = ${value}`, {
  none: () => "$Null",
  boolean: (value) => (value ? "$True" : "$False"),
  text: powershellText,
  integer: String,
  nan: "[double]::NaN",
  infinity: "[double]::PositiveInfinity",
  minusInfinity: "[double]::NegativeInfinity",
  list: (items) => `@(${items.join(", ")})`,
  mapping: (entries) =>
    `@{${entries.map(([key, value]) => `${powershellText(key)} = ${value}`).join("\n ")}}`,
});

/** Bash. Text is quoted only where it must be. */
const bash: Translator = {
  ...translator("#", (name, value) => `${name}=${value}`, {
    none: () => "",
    boolean: String,
    text: shellQuote,
    integer: String,
    nan: "nan",
    infinity: "inf",
    minusInfinity: "-inf",
    list: (items) => `(${items.join(" ")})`,
    mapping: () => noSpelling("a mapping", "Bash"),
  }),
  isName: (name) => /^[A-Za-z_]\w*$/.test(name),
};

/** As Python's shlex.quote. */
function shellQuote(text: string): string {
  if (text !== "" && /^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

/** By kernel name or language, lower case. The names are papermill's, after the two of this project's own languages. */
const translators = new Map<string, Translator>([
  ["typescript", typescriptTranslator],
  ["javascript", javascriptTranslator],
  ["python", python],
  ["r", r],
  ["scala", scala],
  ["julia", julia],
  ["matlab", matlab],
  [".net-csharp", csharp],
  [".net-fsharp", fsharp],
  [".net-powershell", powershell],
  ["pysparkkernel", python],
  ["sparkkernel", scala],
  ["sparkrkernel", r],
  ["bash", bash],
]);

/** Adds a translator, or replaces one, for a kernel name or a language. */
export function registerTranslator(name: string, translator: Translator): void {
  translators.set(name.toLowerCase(), translator);
}

/** The translator for a kernel, looked up by its name first and by its language then. */
export function findTranslator(kernelName: string, language: string): Translator | undefined {
  return translators.get(kernelName.toLowerCase()) ?? translators.get(language.toLowerCase());
}

/** What there are translators for. */
export function translatorNames(): string[] {
  return [...translators.keys()];
}
