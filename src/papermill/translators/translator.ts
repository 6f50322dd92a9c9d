import { UserError } from "@alignscope/base/errors";
import type { ParameterValue } from "../options.js";
import type { DeclaredParameter } from "../typed/types.js";

/** A whole number that was written as a fraction, in the place of the number in a value. */
class WholeFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** The value with the whole numbers at these paths (`rate`, `layers/0`) marked as fractions; `path` is the value's own. */
export function withFloats(value: ParameterValue, path: string, floats: ReadonlySet<string>): ParameterValue {
  if (typeof value === "number") {
    return floats.has(path) ? (new WholeFloat(value) as unknown as ParameterValue) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  const inside = (entry: ParameterValue, key: string | number): ParameterValue =>
    withFloats(entry, `${path}/${key}`, floats);
  if (Array.isArray(value)) return (value as readonly ParameterValue[]).map(inside);
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, inside(entry, key)]));
}

/** Writes parameters in one language. */
export interface Translator {
  comment(text: string): string;
  /** The value as a literal of the language. */
  literal(value: ParameterValue): string;
  /** One line that gives the parameter its value; `declared` is what the parameters cell says about it. */
  assign(name: string, value: ParameterValue, declared: DeclaredParameter | undefined): string;
  /** Whether the language has two kinds of number, and `literal` and `assign` heed {@link WholeFloat}. */
  tellsFloats?: boolean;
  /** Whether the language takes the name as a variable's. */
  isName(name: string): boolean;
  /** Whether the kernel refuses a value that is not of the declared type. */
  checksTypes?: boolean;
  /** Reads a `parameters` cell; languages without it know no declared parameters. */
  inspect?(source: string): Promise<DeclaredParameter[]>;
}

/** How one language spells each kind of value; papermill's table of translations, a row per language. */
export interface ValueWriter {
  none: () => string;
  boolean: (value: boolean) => string;
  text: (value: string) => string;
  integer: (value: number | bigint) => string;
  nan: string;
  infinity: string;
  minusInfinity: string;
  list: (items: string[]) => string;
  /** Pairs of a key as it is and a value as written. */
  mapping: (entries: [key: string, value: string][]) => string;
}

/** The function that spells any value, from the spelling of each kind. */
export function literalWriter(writer: ValueWriter): (value: ParameterValue) => string {
  const literal = (value: ParameterValue): string => {
    if (value === undefined || value === null) return writer.none();
    switch (typeof value) {
      case "string":
        return writer.text(value);
      case "boolean":
        return writer.boolean(value);
      case "bigint":
        return writer.integer(value);
      case "number":
        if (Number.isNaN(value)) return writer.nan;
        if (!Number.isFinite(value)) return value > 0 ? writer.infinity : writer.minusInfinity;
        if (Object.is(value, -0)) return "-0.0";
        return Number.isInteger(value) ? writer.integer(value) : String(value);
    }
    if (value instanceof WholeFloat) {
      const text = Object.is(value.value, -0) ? "-0" : String(value.value);
      return /^-?\d+$/.test(text) ? `${text}.0` : text; // From 1e21 on, the exponent tells.
    }
    if (Array.isArray(value)) return writer.list((value as readonly ParameterValue[]).map(literal));
    return writer.mapping(Object.entries(value).map(([key, entry]) => [key, literal(entry)]));
  };
  return literal;
}

/** For kinds of value that a language, or papermill for it, has no spelling for. */
export function noSpelling(what: string, language: string): never {
  throw new UserError(
    `${what} cannot be written in ${language}: give another value, or leave the parameter out`,
  );
}

/** Python's unicode_escape, which papermill uses for every language: what is not printable ASCII becomes an escape. */
export function unicodeEscape(text: string): string {
  return [...text]
    .map((character) => {
      const named = NAMED_ESCAPES[character];
      if (named) return named;
      const code = character.codePointAt(0) ?? 0;
      if (code >= 0x20 && code < 0x7f) return character;
      if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
      if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, "0")}`;
      return `\\U${code.toString(16).padStart(8, "0")}`;
    })
    .join("");
}

const NAMED_ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Between double quotes, with a quote inside written as `quote`. */
export function quoted(text: string, quote = '\\"'): string {
  return `"${unicodeEscape(text).replaceAll('"', quote)}"`;
}

/** `L` after what 32 bits cannot hold: Scala, C# and F# take a plain number for an `Int`. */
export function integerWithSuffix(value: number | bigint): string {
  return value > 2147483647 || value < -2147483648 ? `${value}L` : String(value);
}

/** A name most languages take: a letter or `_`, then letters, digits and `_`. */
export function isPlainName(name: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_]*$/u.test(name);
}
