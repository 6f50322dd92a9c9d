import type { ParameterValue } from "../options.js";
import type { LiteralValue, ParameterType } from "../typed/types.js";

/** A parameter as the notebook's own `parameters` cell declares it. */
export interface DeclaredParameter {
  name: string;
  /** The type as written, in the notebook's language; undefined when none is. */
  type?: string | undefined;
  /** The default as written. */
  defaultSource?: string | undefined;
  /** How it is declared, where the language has several ways, e.g. `let`. */
  keyword?: string | undefined;
  /** What may be given, read from the type or, without one, from the default; absent where the language tells nothing. */
  structure?: ParameterType | undefined;
  /** The default's value; absent when it is not written out as one. */
  default?: ParameterValue;
  /** The values to choose from, where the type is such a choice. */
  choices?: readonly LiteralValue[] | undefined;
  /** Its documentation. */
  help?: string | undefined;
}

/** A whole number that was written as a fraction, in the place of the number in a value. */
export class WholeFloat {
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
