import { randomUUID } from "node:crypto";
import { UserError } from "@alignscope/base/errors";
import { MissingParameterError } from "./errors.js";
import type { Parameters, ParameterValue } from "./options.js";

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

/** What a path template can name: parameters, and the moments that `pm` knows. */
export type Formattable = ParameterValue | Date | { readonly [key: string]: Formattable };

const SPEC =
  /^(?:(?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?#?(?<zero>0)?(?<width>\d+)?(?<group>[,_])?(?:\.(?<precision>\d+))?(?<type>[a-zA-Z%])?$/su;

/** `format(value, spec)` of Python, for what parameters can hold; the spec of a moment is strftime's. */
export function formatValue(value: Formattable, spec: string): string {
  if (value instanceof Date) return spec === "" ? isoMoment(value) : formatMoment(value, spec);
  if (spec === "") return pythonText(value);
  const parts = SPEC.exec(spec)?.groups;
  const wrong = (): UserError =>
    new UserError(
      `the format ":${spec}" does not fit the value ${pythonText(value)} (expected e.g. :03d, :.2f)`,
    );
  if (!parts) throw wrong();
  const { type } = parts;
  const isNumber = typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
  if (!isNumber && (typeof value !== "string" || (type ?? "s") !== "s" || parts["sign"])) throw wrong();
  if (typeof value === "string") {
    const text = parts["precision"] ? [...value].slice(0, Number(parts["precision"])).join("") : value;
    return pad(text, parts, "<");
  }
  const number = typeof value === "boolean" ? Number(value) : value;
  const digits = formatNumber(number, type, parts["precision"]);
  if (digits === undefined) throw wrong();
  const negative = digits.startsWith("-");
  const grouped = group(negative ? digits.slice(1) : digits, parts["group"]);
  const sign = negative ? "-" : parts["sign"] === "+" || parts["sign"] === " " ? parts["sign"] : "";
  return pad(grouped, parts, ">", sign);
}

/** `str(value)`: True, None, 'text' inside a list. */
function pythonText(value: Formattable): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

/** `repr(value)`. */
function pythonRepr(value: Formattable): string {
  if (value === undefined || value === null) return "None";
  if (value instanceof Date) return isoMoment(value);
  switch (typeof value) {
    case "boolean":
      return value ? "True" : "False";
    case "bigint":
      return value.toString();
    case "number":
      return pythonNumber(value);
    case "string":
      return value.includes("'") && !value.includes('"')
        ? `"${value}"`
        : `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${(value as readonly Formattable[]).map(pythonRepr).join(", ")}]`;
  const entries = Object.entries(value as Record<string, Formattable>);
  return `{${entries.map(([key, entry]) => `${pythonRepr(key)}: ${pythonRepr(entry)}`).join(", ")}}`;
}

function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  // Python turns to exponents earlier for small numbers, and writes two digits of them.
  const text = Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential() : String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function formatNumber(
  value: number | bigint,
  type: string | undefined,
  precision?: string,
): string | undefined {
  const whole = typeof value === "bigint" || Number.isInteger(value);
  const places = precision === undefined ? 6 : Number(precision);
  const number = Number(value);
  switch (type) {
    case undefined:
      return precision === undefined ? pythonText(value) : general(number, places);
    case "d":
    case "n":
      return whole && precision === undefined ? value.toString() : undefined;
    case "b":
    case "o":
    case "x":
      return whole ? value.toString({ b: 2, o: 8, x: 16 }[type]) : undefined;
    case "X":
      return whole ? value.toString(16).toUpperCase() : undefined;
    case "f":
    case "F":
      return Number.isFinite(number) ? number.toFixed(places) : pythonNumber(number);
    case "e":
    case "E": {
      const text = number.toExponential(places).replace(/e([+-])(\d)$/, "e$10$2");
      return type === "E" ? text.toUpperCase() : text;
    }
    case "g":
    case "G":
      return type === "G" ? general(number, places).toUpperCase() : general(number, places);
    case "%":
      return `${(number * 100).toFixed(places)}%`;
    default:
      return undefined;
  }
}

function general(value: number, places: number): string {
  if (!Number.isFinite(value)) return pythonNumber(value);
  const digits = Math.max(places, 1);
  const exponent = value === 0 ? 0 : Number(value.toExponential(digits - 1).split("e")[1]);
  const text =
    exponent < -4 || exponent >= digits ? value.toExponential(digits - 1) : value.toPrecision(digits);
  return text
    .replace(/(\.\d*?)0+(?=e|$)/, "$1")
    .replace(/\.(?=e|$)/, "")
    .replace(/e([+-])(\d)$/, "e$10$2");
}

function group(digits: string, separator: string | undefined): string {
  return separator ? digits.replace(/\d(?=(\d{3})+(\D|$))(?<!\.\d*)/g, `$&${separator}`) : digits;
}

function pad(text: string, parts: Record<string, string | undefined>, natural: "<" | ">", sign = ""): string {
  const align = parts["align"] ?? (parts["zero"] ? "=" : natural);
  const fill = parts["fill"] ?? (parts["zero"] ? "0" : " ");
  const missing = Math.max(0, Number(parts["width"] ?? 0) - [...sign, ...text].length);
  if (align === "=") return sign + fill.repeat(missing) + text;
  if (align === "<") return sign + text + fill.repeat(missing);
  if (align === ">") return fill.repeat(missing) + sign + text;
  return fill.repeat(Math.floor(missing / 2)) + sign + text + fill.repeat(Math.ceil(missing / 2));
}

function two(value: number, length = 2): string {
  return String(value).padStart(length, "0");
}

/** `str(datetime)`, to the millisecond that JavaScript's clock tells. */
function isoMoment(moment: Date): string {
  return formatMoment(moment, "%Y-%m-%d %H:%M:%S.%f");
}

function formatMoment(moment: Date, spec: string): string {
  const hour = moment.getHours();
  const midnight = new Date(moment.getFullYear(), 0, 1);
  const name = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en", options).format(moment);
  return spec.replace(/%(.)/gs, (directive, letter: string) => {
    switch (letter) {
      case "Y":
        return two(moment.getFullYear(), 4);
      case "y":
        return two(moment.getFullYear() % 100);
      case "m":
        return two(moment.getMonth() + 1);
      case "d":
        return two(moment.getDate());
      case "H":
        return two(hour);
      case "I":
        return two(hour % 12 || 12);
      case "p":
        return hour < 12 ? "AM" : "PM";
      case "M":
        return two(moment.getMinutes());
      case "S":
        return two(moment.getSeconds());
      case "f":
        return two(moment.getMilliseconds() * 1000, 6);
      case "j":
        return two(Math.round((new Date(moment).setHours(0, 0, 0, 0) - midnight.getTime()) / 864e5) + 1, 3);
      case "a":
        return name({ weekday: "short" });
      case "A":
        return name({ weekday: "long" });
      case "b":
        return name({ month: "short" });
      case "B":
        return name({ month: "long" });
      case "F":
        return formatMoment(moment, "%Y-%m-%d");
      case "T":
        return formatMoment(moment, "%H:%M:%S");
      case "s":
        return String(Math.floor(moment.getTime() / 1000));
      case "%":
        return "%";
      default:
        throw new UserError(
          `the format of a moment does not know ${directive} (expected e.g. %Y-%m-%d, %H%M%S)`,
        );
    }
  });
}
