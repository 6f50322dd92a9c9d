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
