import type { ParameterValue } from "../options.js";

/** A value that a type can spell out by itself. */
export type LiteralValue = string | number | boolean | bigint | null;

/** A field of an object type. */
export interface FieldType {
  name: string;
  type: ParameterType;
  optional: boolean;
}

/**
 * What a parameter may be given, in whatever language its type was written. Parts that no value on a command line or in
 * a file could be held against (functions, classes, conditional types) are `any`.
 */
export type ParameterType =
  | { kind: "any" }
  | { kind: "string" }
  | { kind: "number" }
  | { kind: "integer" }
  | { kind: "boolean" }
  | { kind: "bigint" }
  | { kind: "undefined" }
  /** `source`: how the language writes the value where it asks for this type, e.g. `Size.Small` of an enum. */
  | { kind: "literal"; value: LiteralValue; source?: string | undefined }
  | { kind: "array"; element: ParameterType }
  | { kind: "tuple"; elements: readonly ParameterType[]; required: number; rest?: ParameterType | undefined }
  /** `rest` is the type of fields that are not named; without it there may be none. */
  | { kind: "object"; fields: readonly FieldType[]; rest?: ParameterType | undefined }
  | { kind: "union"; members: readonly ParameterType[] };

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

export const ANY: ParameterType = { kind: "any" };
export const NULL: ParameterType = { kind: "literal", value: null };

/** The union of types: flat, without repetitions, and the type itself where there is one only. */
export function unionOf(types: readonly ParameterType[]): ParameterType {
  const flat = types.flatMap((type) => (type.kind === "union" ? type.members : [type]));
  if (flat.some(({ kind }) => kind === "any")) return ANY;
  const seen = new Map(flat.map((type) => [typeText(type), type]));
  const members = [...seen.values()];
  return members.length === 1 && members[0] ? members[0] : { kind: "union", members };
}

/** The members of a union; any other type is its own only member. */
export function membersOf(type: ParameterType): readonly ParameterType[] {
  return type.kind === "union" ? type.members : [type];
}

/**
 * The values to choose from, where a type is a choice between values (besides null and undefined); undefined for all
 * other types. An array is a choice of its elements.
 */
export function choicesOf(type: ParameterType): LiteralValue[] | undefined {
  if (type.kind === "array") return choicesOf(type.element);
  const members = membersOf(type).filter(
    (member) => member.kind !== "undefined" && !(member.kind === "literal" && member.value === null),
  );
  const values = members.flatMap((member) => (member.kind === "literal" ? [member.value] : []));
  return values.length > 0 && values.length === members.length ? values : undefined;
}

/** The type as TypeScript writes it, but for `integer`. */
export function typeText(type: ParameterType): string {
  switch (type.kind) {
    case "literal":
      return inFull(type.value);
    case "array":
      return type.element.kind === "union" ? `(${typeText(type.element)})[]` : `${typeText(type.element)}[]`;
    case "tuple": {
      const elements = type.elements.map((each, at) => `${typeText(each)}${at < type.required ? "" : "?"}`);
      return `[${[...elements, ...(type.rest ? [`...${typeText(type.rest)}[]`] : [])].join(", ")}]`;
    }
    case "object": {
      if (type.fields.length === 0 && type.rest) return `Record<string, ${typeText(type.rest)}>`;
      const fields = type.fields.map(
        ({ name, optional, type: of }) => `${name}${optional ? "?" : ""}: ${typeText(of)}`,
      );
      const rest = type.rest ? [`[key: string]: ${typeText(type.rest)}`] : [];
      return fields.length + rest.length === 0 ? "{}" : `{ ${[...fields, ...rest].join("; ")} }`;
    }
    case "union":
      return type.members.map(typeText).join(" | ");
    default:
      return type.kind;
  }
}

const LONGEST = 120;

/** A value as messages show it: as JSON does, with what JSON cannot say, and cut where it is long. */
export function valueText(value: ParameterValue): string {
  const text = inFull(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function inFull(value: ParameterValue): string {
  if (value === undefined) return "undefined";
  if (typeof value === "number") return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${(value as readonly ParameterValue[]).map(inFull).join(",")}]`;
  const entries = Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}:${inFull(entry)}`);
  return `{${entries.join(",")}}`;
}

/**
 * The type that a default without an annotation stands for. An empty list or a null tells nothing of what may come.
 *
 * @param open whether objects may have fields that the value has not
 */
export function typeOfValue(value: ParameterValue, open = true): ParameterType {
  if (value === undefined || value === null) return ANY;
  if (Array.isArray(value)) {
    const elements = (value as readonly ParameterValue[]).map((each) => typeOfValue(each, open));
    return { kind: "array", element: elements.length === 0 ? ANY : unionOf(elements) };
  }
  if (typeof value === "object") {
    const fields = Object.entries(value).map(([name, entry]) => ({
      name,
      type: typeOfValue(entry, open),
      optional: false,
    }));
    return { kind: "object", fields, ...(open ? { rest: ANY } : {}) };
  }
  return { kind: typeof value as "string" | "number" | "boolean" | "bigint" };
}

/** Where papermill begins what is said about a parameter, and the longest definition that leaves room for it. */
const COLUMN = 34;
const LONGEST_DEFINITION = 30;

/**
 * One parameter as `papermill --help-notebook` shows it: name, type and default, its help from column 34 on, on a line
 * of its own where the definition is long. Below stand the values to choose from, unless the type lists them already.
 *
 * @example parameterHelp({ name: "seed", type: "number", defaultSource: "7", help: "of everything random" })
 * // ["  seed: number (default 7)         of everything random"]
 */
export function parameterHelp(parameter: DeclaredParameter): string[] {
  const { name, type, structure = ANY, choices, defaultSource, help = "" } = parameter;
  const inferred = structure.kind === "any" ? "Unknown type" : typeText(structure);
  const shown = oneLine(type ?? inferred);
  const byDefault = defaultSource === undefined ? "" : ` (default ${oneLine(defaultSource)})`;
  const definition = `  ${name}: ${shown}${byDefault}`;
  const spelt = choices?.map(valueText) ?? [];
  const choose = spelt.some((value) => !shown.includes(value)) ? [`one of ${spelt.join(", ")}`] : [];
  const about = [...help.split(/\r?\n/).filter((line) => line.trim() !== ""), ...choose];
  const [first = ""] = about;
  const indented = (line: string): string => `${" ".repeat(COLUMN)}${line}`;
  if (definition.length > LONGEST_DEFINITION) return [definition, ...about.map(indented)];
  // The column is filled also where nothing stands in it, as in papermill.
  return [`${definition.padEnd(COLUMN)}${first}`, ...about.slice(1).map(indented)];
}

/** In one line, as far as line breaks stand between tokens; there are none within other literals than templates. */
function oneLine(source: string): string {
  return source.replace(/\s*\n\s*/g, " ");
}
