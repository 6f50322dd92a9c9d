import { randomUUID } from "node:crypto";
import { UserError } from "@alignscope/base/errors";
import { MissingParameterError } from "./errors.js";
import type { Parameters } from "./options.js";
import { formatValue, pythonRepr, pythonText, type Formattable } from "./python-format.js";

/** A brace that is doubled, a field, or a brace that should not be there. */
const PIECE = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;
/** The name, then `[key]` or `.attribute`, a conversion and a format. */
const FIELD =
  /^(?<name>[^[\].!:]*)(?<path>(?:\[[^[\]]+\]|\.[^[\].!:]+)*)(?:!(?<conversion>[rsa]))?(?::(?<spec>.*))?$/s;

/**
 * What path templates can name besides the parameters, as `pm`: `{pm[run_uuid]}`, `{pm[current_datetime_local]}` and
 * `{pm[current_datetime_utc]}`. A parameter called `pm` takes its place.
 */
export function withBuiltins(parameters: Parameters): Record<string, Formattable> {
  const now = new Date();
  // A moment in time has no zone here, as in papermill: the fields of the UTC one are those of the clock in Greenwich.
  const utc = new Date(now.getTime() + now.getTimezoneOffset() * 60_000);
  const pm = { run_uuid: randomUUID(), current_datetime_local: now, current_datetime_utc: utc };
  return { pm, ...parameters };
}

/**
 * A path with the parameters filled in, by Python's rules of str.format: `{name}`, `{map[key]}`, `{list[0]}`, `{n:03d}`,
 * `{x:.2f}`; `{{` and `}}` are braces.
 *
 * @throws MissingParameterError for a name that is not there
 */
export function formatPath(path: string, values: Readonly<Record<string, Formattable>>): string {
  return path.replace(PIECE, (piece, field: string | undefined) => {
    if (piece === "{{" || piece === "}}") return piece.slice(1);
    if (field === undefined) {
      throw new UserError(`the path ${path} has a single ${piece}: write ${piece}${piece} for a brace`);
    }
    return formatField(field, values, path);
  });
}

function formatField(field: string, values: Readonly<Record<string, Formattable>>, path: string): string {
  const { name = "", path: way = "", conversion, spec = "" } = FIELD.exec(field)?.groups ?? {};
  if (name === "" || /^\d+$/.test(name)) {
    throw new UserError(
      `the path ${path} names no parameter in {${field}}: expected e.g. {name}, or {{ for a brace`,
    );
  }
  let value = lookUp(values, name);
  for (const [, key, attribute] of way.matchAll(/\[([^[\]]+)\]|\.([^[\].!:]+)/g)) {
    if (key === undefined) {
      throw new UserError(
        `the path ${path} asks for the attribute .${attribute}: write [${attribute}] for an entry`,
      );
    }
    value = lookUp(value, key);
  }
  if (conversion) value = conversion === "s" ? pythonText(value) : pythonRepr(value);
  return formatValue(value, spec);
}

function lookUp(holder: Formattable, key: string): Formattable {
  if (
    typeof holder !== "object" ||
    holder === null ||
    holder instanceof Date ||
    !Object.hasOwn(holder, key)
  ) {
    throw new MissingParameterError(key);
  }
  return (holder as Record<string, Formattable>)[key];
}
