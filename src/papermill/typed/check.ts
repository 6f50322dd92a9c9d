import { nearest } from "@alignscope/base/nearest";
import { parse } from "yaml";
import type { ParameterValue } from "../options.js";
import { fitInteger, inferValue } from "../parameter-sources.js";
import { membersOf, type ParameterType, typeText, valueText } from "./types.js";

/** What is wrong with a value, and where in it: `[2]`, `.name`; "" is the value as a whole. */
export interface Mismatch {
  path: string;
  message: string;
}

/** Whether `value` may stand where `type` is asked for. */
export function accepts(type: ParameterType, value: ParameterValue): boolean {
  return mismatches(type, value).length === 0;
}

/** Everything that keeps `value` from being of the type, each part of lists and objects by itself; empty when nothing does. */
export function mismatches(type: ParameterType, value: ParameterValue, path = ""): Mismatch[] {
  const unlike = (): Mismatch[] => [{ path, message: expectation(type, value) }];
  switch (type.kind) {
    case "any":
      return [];
    case "undefined":
      return value === undefined ? [] : unlike();
    case "integer":
      return typeof value === "bigint" || Number.isInteger(value) ? [] : unlike();
    case "string":
    case "number":
    case "boolean":
    case "bigint":
      return typeof value === type.kind ? [] : unlike();
    case "literal":
      return value === type.value ? [] : unlike();
    case "array":
      if (!isList(value)) return unlike();
      return value.flatMap((each, at) => mismatches(type.element, each, `${path}[${at}]`));
    case "tuple":
      return isList(value) ? ofTuple(type, value, path) : unlike();
    case "object":
      return isMapping(value) ? ofObject(type, value, path) : unlike();
    case "union":
      return ofUnion(type.members, value, path) ?? unlike();
  }
}

export function isList(value: ParameterValue): value is readonly ParameterValue[] {
  return Array.isArray(value);
}

export function isMapping(value: ParameterValue): value is { readonly [key: string]: ParameterValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `.name`, or `["a name"]` where a dot would mislead. */
function fieldPath(path: string, name: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`;
}

function ofTuple(
  type: ParameterType & { kind: "tuple" },
  value: readonly ParameterValue[],
  path: string,
): Mismatch[] {
  const most = type.rest ? Infinity : type.elements.length;
  if (value.length < type.required || value.length > most) {
    const expected = `expected ${typeText(type)}`;
    return [
      {
        path,
        message: `got ${value.length} ${value.length === 1 ? "element" : "elements"}, ${expected}`,
      },
    ];
  }
  return value.flatMap((each, at) => {
    const of = type.elements[at] ?? type.rest;
    const left = each === undefined && at >= type.required;
    return of && !left ? mismatches(of, each, `${path}[${at}]`) : [];
  });
}

function ofObject(
  type: ParameterType & { kind: "object" },
  value: { readonly [key: string]: ParameterValue },
  path: string,
): Mismatch[] {
  const found: Mismatch[] = [];
  for (const field of type.fields) {
    const at = fieldPath(path, field.name);
    const given = Object.hasOwn(value, field.name);
    if (!given && !field.optional) {
      found.push({ path: at, message: `is missing, expected ${typeText(field.type)}` });
    } else if (given && !(field.optional && value[field.name] === undefined)) {
      found.push(...mismatches(field.type, value[field.name], at));
    }
  }
  const names = type.fields.map(({ name }) => name);
  for (const [name, entry] of Object.entries(value)) {
    if (names.includes(name)) continue;
    const at = fieldPath(path, name);
    if (type.rest) found.push(...mismatches(type.rest, entry, at));
    else found.push({ path: at, message: `is no field of ${typeText(type)}${hint(name, names)}` });
  }
  return found;
}

/** undefined: nothing better can be said than that no member fits. */
function ofUnion(
  members: readonly ParameterType[],
  value: ParameterValue,
  path: string,
): Mismatch[] | undefined {
  if (members.some((member) => accepts(member, value))) return [];
  // The only member of the value's own shape is the one that was meant: say which part of it is wrong.
  const alike = members.filter(({ kind }) =>
    isList(value) ? kind === "array" || kind === "tuple" : isMapping(value) && kind === "object",
  );
  return alike.length === 1 && alike[0] ? mismatches(alike[0], value, path) : undefined;
}

function expectation(type: ParameterType, value: ParameterValue): string {
  const named = membersOf(type).flatMap((member) =>
    member.kind === "literal" && typeof member.value === "string" ? [member.value] : [],
  );
  const near = typeof value === "string" ? hint(value, named, true) : "";
  return `got ${valueText(value)}, expected ${typeText(type)}${near || advice(type, value)}`;
}

function hint(given: string, names: readonly string[], quoted = false): string {
  const [best] = nearest(given, names, 1);
  return best === undefined ? "" : `; did you mean ${quoted ? JSON.stringify(best) : best}?`;
}

/** What often goes wrong, and is refused rather than guessed. */
function advice(type: ParameterType, value: ParameterValue): string {
  const members = membersOf(type);
  if (members.some((each) => each.kind === "array" && accepts(each.element, value))) {
    return `; write [${valueText(value)}] for a list of one`;
  }
  if (typeof value === "bigint" && members.some(({ kind }) => kind === "number")) {
    return "; it is beyond what a number holds exactly";
  }
  return "";
}

/**
 * The value with everything in it put into the form that the type asks for, where that loses nothing: a whole number
 * for a bigint, and the other way round while it is exact. All else stays as it is, also what the type refuses.
 */
export function coerce(type: ParameterType, value: ParameterValue): ParameterValue {
  switch (type.kind) {
    case "bigint":
      return typeof value === "number" && Number.isSafeInteger(value) && !Object.is(value, -0)
        ? BigInt(value)
        : value;
    case "number":
      return typeof value === "bigint" ? fitInteger(value) : value;
    case "array":
      return isList(value) ? value.map((each) => coerce(type.element, each)) : value;
    case "tuple":
      if (!isList(value)) return value;
      return value.map((each, at) => {
        const of = type.elements[at] ?? type.rest;
        return of ? coerce(of, each) : each;
      });
    case "object": {
      if (!isMapping(value)) return value;
      const of = new Map(type.fields.map((field) => [field.name, field.type]));
      const entries = Object.entries(value).map(([name, entry]): [string, ParameterValue] => {
        const fieldType = of.get(name) ?? type.rest;
        return [name, fieldType ? coerce(fieldType, entry) : entry];
      });
      return Object.fromEntries(entries);
    }
    case "union": {
      if (type.members.some((member) => accepts(member, value))) return value;
      for (const member of type.members) {
        const coerced = coerce(member, value);
        if (accepts(member, coerced)) return coerced;
      }
      return value;
    }
    default:
      return value;
  }
}

/**
 * What text on a command line means to a declared type: the first of these readings that the type accepts - as
 * papermill guesses it (`7`, `True`, `None`, `nan`), as YAML (`true`, `null`, `[1, 2]`, `{a: 1}`), an integer with an
 * n, the text itself, the name of an enum's member, and yes, no, on and off. undefined when there is none.
 *
 * @example readText({ kind: "string" }, "7") // { value: "7" }: where text is asked for, digits are text
 */
export function readText(type: ParameterType, text: string): { value: ParameterValue } | undefined {
  if (type.kind === "any") return { value: inferValue(text) };
  const readings: ParameterValue[] = [];
  const guess = inferValue(text);
  if (typeof guess !== "string") readings.push(guess);
  const yaml = fromYaml(text);
  if (yaml !== undefined && typeof yaml !== "string") readings.push(yaml);
  if (/^\s*-?\d+n\s*$/.test(text)) readings.push(BigInt(text.trim().slice(0, -1)));
  readings.push(text);
  for (const member of membersOf(type)) {
    if (member.kind !== "literal" || member.source === undefined) continue;
    if (text === member.source || text === member.source.split(".").at(-1)) readings.push(member.value);
  }
  const yes = /^(?:(yes|on|true)|no|off|false)$/i.exec(text.trim());
  if (yes) readings.push(yes[1] !== undefined);
  for (const reading of readings) {
    const value = coerce(type, reading);
    if (accepts(type, value)) return { value };
  }
  return undefined;
}

/** What messages show of text that the type refuses: the list or mapping that was meant, else the guess. */
export function bestReading(type: ParameterType, text: string): ParameterValue {
  const yaml = fromYaml(text);
  return typeof yaml === "object" && yaml !== null ? coerce(type, yaml) : inferValue(text);
}

function fromYaml(text: string): ParameterValue {
  try {
    const value: unknown = parse(text, { intAsBigInt: true, logLevel: "error" });
    return plain(value);
  } catch {
    return undefined;
  }
}

/** Of what YAML can say, that which parameters can hold; undefined if there is more in it. */
function plain(value: unknown): ParameterValue {
  if (typeof value === "bigint") return fitInteger(value);
  if (value === null || ["string", "number", "boolean"].includes(typeof value))
    return value as ParameterValue;
  if (Array.isArray(value)) {
    const elements = value.map(plain);
    return elements.includes(undefined) ? undefined : elements;
  }
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const entries = Object.entries(value).map(([key, entry]) => [key, plain(entry)] as const);
  return entries.some(([, entry]) => entry === undefined) ? undefined : Object.fromEntries(entries);
}
