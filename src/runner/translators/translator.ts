import type { ParameterValue } from "../options";

/** A parameter as the notebook's own `parameters` cell declares it. */
export interface DeclaredParameter {
  name: string;
  /** The type as written, in the notebook's language; undefined when none is. */
  type?: string | undefined;
  /** The default as written. */
  defaultSource?: string | undefined;
  /** How it is declared, where the language has several ways, e.g. `let`. */
  keyword?: string | undefined;
  /** What its author says about it. */
  help?: string | undefined;
}

/** Writes parameters in one language. */
export interface Translator {
  comment(text: string): string;
  /** The value as a literal of the language. */
  literal(value: ParameterValue): string;
  /** One line that gives the parameter its value; `declared` is what the parameters cell says about it. */
  assign(name: string, value: ParameterValue, declared: DeclaredParameter | undefined): string;
  /** Whether the language takes the name as a variable's. */
  isName(name: string): boolean;
  /** Reads a `parameters` cell; languages without it know no declared parameters. */
  inspect?(source: string): Promise<DeclaredParameter[]>;
}
