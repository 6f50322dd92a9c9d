import { nearest } from "@alignscope/base/nearest";
import type { ParameterValue } from "../options.js";
import { membersOf, typeText, valueText, type ParameterType } from "./types.js";

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
