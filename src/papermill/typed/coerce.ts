import { parse } from "yaml";
import { inferValue } from "../parameter-sources.js";
import type { ParameterValue } from "../options.js";
import { accepts, isList, isMapping } from "./check.js";
import { membersOf, type ParameterType } from "./types.js";

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
      return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
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
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
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
