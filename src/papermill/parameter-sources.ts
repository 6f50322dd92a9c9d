import { readFileSync } from "node:fs";
import { parse, type CollectionTag, type ScalarTag } from "yaml";
import { UserError, messageOf } from "@alignscope/base/errors";
import type { Parameters, ParameterTexts, ParameterValue } from "./options.js";

/** What a command line says about parameters, by kind, in the order given. */
export interface ParameterSources {
  base64?: readonly string[];
  files?: readonly string[];
  yaml?: readonly string[];
  /** NAME and VALUE, typed by {@link inferValue}. */
  typed?: readonly (readonly [string, string])[];
  /** NAME and VALUE, always text. */
  raw?: readonly (readonly [string, string])[];
}

/**
 * The parameters of a command line, and what is known of how they were written. Later ones win: base64, then files, then
 * YAML, then typed, then raw, each kind from left to right; a nested value is replaced as a whole.
 */
export function readParameters(sources: ParameterSources): { parameters: Parameters; texts: ParameterTexts } {
  const floats: string[] = [];
  const parameters: Parameters = {};
  const add = (layer: Parameters, found: readonly string[] = []): void => {
    for (const name of Object.keys(layer)) {
      const hidden = floats.filter((path) => path === name || path.startsWith(`${name}/`));
      for (const path of hidden) floats.splice(floats.indexOf(path), 1);
    }
    floats.push(...found);
    Object.assign(parameters, layer);
  };
  const addYaml = (text: string, of: string): void => {
    const found: string[] = [];
    add(yamlParameters(text, of, found), found);
  };
  for (const text of sources.base64 ?? []) {
    addYaml(decodeBase64(text), "the base64 parameters");
  }
  for (const path of sources.files ?? []) addYaml(fileText(path), path);
  for (const text of sources.yaml ?? []) addYaml(text, `the YAML parameters ${quoted(text)}`);
  for (const [name, text] of sources.typed ?? []) {
    const value = inferValue(text);
    add({ [name]: value }, Number.isInteger(value) && !INTEGER.test(text.trim()) ? [name] : []);
  }
  for (const [name, text] of sources.raw ?? []) add({ [name]: text });
  const raw = (sources.raw ?? []).map(([name]) => name);
  const typed = Object.fromEntries((sources.typed ?? []).filter(([name]) => !raw.includes(name)));
  return { parameters, texts: { typed, raw, floats } };
}

/** The parameters of {@link readParameters} alone. */
export function collectParameters(sources: ParameterSources): Parameters {
  return readParameters(sources).parameters;
}

/**
 * The value of `-p NAME TEXT`, by papermill's rule, which is Python's: `True`, `False`, `None`, an integer, a number,
 * else text. So `true`, `null` and `0x10` are text, `1_000` and `1e3` are numbers.
 */
export function inferValue(text: string): ParameterValue {
  if (text === "True" || text === "False") return text === "True";
  if (text === "None") return null;
  const trimmed = text.trim();
  if (INTEGER.test(trimmed)) return fitInteger(BigInt(trimmed.replace(/^\+|_/g, "")));
  if (/^[+-]?(\d+(_\d+)*\.?(\d+(_\d+)*)?|\.\d+(_\d+)*)(e[+-]?\d+(_\d+)*)?$/i.test(trimmed)) {
    return Number(trimmed.replace(/_/g, ""));
  }
  const special = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i.exec(trimmed);
  if (special) return special[2] ? (special[1] === "-" ? -Infinity : Infinity) : NaN;
  return text;
}

/** Characters. */
const LONGEST_QUOTE = 60;

const INTEGER = /^[+-]?\d+(_\d+)*$/;

function fileText(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = { ENOENT: "there is none", ENOTDIR: "there is none", EISDIR: "it is a folder" }[code ?? ""];
    throw new UserError(
      `cannot read the parameter file ${path} (${why ?? messageOf(error)}): expected a file in YAML or JSON`,
    );
  }
  const text = utf8(bytes);
  if (text === undefined) {
    throw new UserError(`the parameter file ${path} is no text in UTF-8: expected YAML or JSON`);
  }
  return text;
}

/** Undefined for what is no text. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Node passes over what is no base64; then parameters would get lost without a word. */
function decodeBase64(text: string): string {
  const isBase64 = /^[\w+/-]*={0,2}$/.test(text.replace(/\s/g, ""));
  const decoded = isBase64 ? utf8(Buffer.from(text, "base64")) : undefined;
  if (decoded === undefined) {
    throw new UserError(
      `the base64 parameters ${quoted(text)} are not YAML in base64: encode it with base64 -w0`,
    );
  }
  return decoded;
}

/**
 * A mapping in YAML 1.1 (`yes` and `off` are booleans, as in PyYAML), in which dates stay text. Nothing but comments is
 * an empty mapping. JSON is YAML.
 *
 * @param name stands in the error messages
 * @param floats takes the paths of whole numbers that are written as fractions
 */
export function yamlParameters(text: string, name: string, floats: string[] = []): Parameters {
  let value: unknown;
  try {
    value = parse(text, {
      version: "1.1",
      uniqueKeys: false,
      intAsBigInt: true,
      logLevel: "error",
      customTags: (tags) =>
        tags
          .filter((tag) => typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:timestamp")
          .map((tag) =>
            typeof tag === "object" && tag.tag === "tag:yaml.org,2002:bool" ? longWord(tag) : tag,
          ),
    });
  } catch (error) {
    throw new UserError(`${name} is not YAML (${messageOf(error).split("\n")[0]?.replace(/:$/, "")})`);
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    throw new UserError(
      `${name} is not a mapping of names to values: got ${kindOf(value)}, expected NAME: VALUE on each line`,
    );
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, fromYaml(entry, key, `${name}: ${key}`, floats)]),
  );
}

/** The beginning of a text, on one line. */
function quoted(text: string): string {
  const [line = ""] = text.trim().split("\n", 1);
  const shown = line.slice(0, LONGEST_QUOTE);
  return shown === text.trim() ? `"${shown}"` : `"${shown} …"`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "text";
  return typeof value === "bigint" ? "a number" : `a ${typeof value}`;
}

/** PyYAML takes `yes` and `off` for booleans, but not `y` and `n`: as a name of an axis they are text. */
function longWord(tag: CollectionTag | ScalarTag): CollectionTag | ScalarTag {
  const { test } = tag as ScalarTag;
  return test ? ({ ...tag, test: new RegExp(`(?=^..)(?:${test.source})`) } as ScalarTag) : tag;
}

function fromYaml(value: unknown, path: string, where: string, floats: string[]): ParameterValue {
  if (value === null || value === undefined) return null;
  const inside = (entry: unknown, key: string | number): ParameterValue =>
    fromYaml(entry, `${path}/${key}`, where, floats);
  switch (typeof value) {
    case "bigint":
      return fitInteger(value);
    case "number":
      if (Number.isInteger(value)) floats.push(path);
      return value;
    case "string":
    case "boolean":
      return value;
    case "object":
      if (Array.isArray(value)) return value.map(inside);
      if (Object.getPrototypeOf(value) === Object.prototype) {
        return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, inside(entry, key)]));
      }
  }
  throw new UserError(
    `${where} is of a kind that parameters cannot hold (expected text, numbers, booleans, lists, mappings)`,
  );
}

/** A number where it holds the integer exactly. */
export function fitInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
