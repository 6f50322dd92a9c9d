import { UserError } from "@alignscope/base/errors";
import { nearest } from "@alignscope/base/nearest";
import type { Parameters, ParameterValue } from "../options.js";
import { accepts, bestReading, coerce, mismatches, readText } from "./check.js";
import { ANY, type DeclaredParameter, typeText } from "./types.js";

/** One value for one parameter, on its way in. */
export interface GivenValue {
  value: ParameterValue;
  /** What `-p` said, where the value is only a guess from its look. */
  text?: string | undefined;
  /** Always text, since the caller said so (`-r`). */
  raw?: boolean;
  /** Not to be repeated in messages. */
  secret?: boolean;
}

/**
 * The value as the declared type has it, and what is wrong with it, a line each: `path` is what comes after the name
 * (`[2]`), `message` what was got and what was expected. What is refused comes back as it was given.
 */
export function fitValue(
  declared: DeclaredParameter,
  given: GivenValue,
): { value: ParameterValue; problems: { path: string; message: string }[] } {
  const type = declared.structure ?? ANY;
  if (given.text !== undefined) {
    const read = readText(type, given.text);
    if (read) return { value: read.value, problems: [] };
  }
  const value = given.raw ? given.value : coerce(type, given.value);
  const shown = given.text === undefined ? value : bestReading(type, given.text);
  const problems = mismatches(type, shown);
  // What the reading for people hides is still refused.
  if (problems.length === 0 && !accepts(type, value)) problems.push(...mismatches(type, value));
  if (problems.length === 0) return { value, problems };
  if (given.secret) {
    const message = `got a value that is not shown, expected ${typeText(type)}`;
    return { value: given.value, problems: [{ path: "", message }] };
  }
  const hint = given.raw && readText(type, String(given.value)) ? "; -r gives text, -p what is declared" : "";
  return {
    value: given.value,
    problems: problems.map(({ path, message }) => ({ path, message: `${message}${hint}` })),
  };
}

export interface CheckOptions {
  /** Refuse what does not fit, instead of warning. */
  strict: boolean;
  /** Whether the notebook's kernel checks types by itself. */
  checksTypes: boolean;
  /** What `-p` said, by name. */
  texts?: Readonly<Record<string, string>>;
  /** Names whose value `-r` gave. */
  raw?: ReadonlySet<string>;
  isSecret: (name: string) => boolean;
}

/** Names that the command line injects on request; a notebook need not declare them. */
const ASKED_FOR = ["PAPERMILL_INPUT_PATH", "PAPERMILL_OUTPUT_PATH"];

/**
 * Holds the values of a run against what the notebook declares. Loosely, papermill's way, every value goes in as it was
 * given and what does not fit is only told; but what `-p` says is read as the declared type has it where the kernel
 * would refuse the guess. Strictly, values are put into the declared form, and problems are errors.
 */
export function checkParameters(
  parameters: Parameters,
  declared: ReadonlyMap<string, DeclaredParameter>,
  options: CheckOptions,
): { parameters: Parameters; problems: string[] } {
  const fitted: Parameters = {};
  const problems: string[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    const declaration = declared.get(name);
    if (!declaration) {
      fitted[name] = value;
      if (!(options.strict && ASKED_FOR.includes(name)))
        problems.push(unknown(name, declared, options.strict));
      continue;
    }
    const given = {
      value,
      text: options.texts?.[name],
      raw: options.raw?.has(name) ?? false,
      secret: options.isSecret(name),
    };
    const fit = fitValue(declaration, given);
    const byKernel = options.checksTypes && declaration.type !== undefined;
    fitted[name] = options.strict || byKernel ? fit.value : value;
    problems.push(...fit.problems.map(({ path, message }) => problemLine(name, path, message)));
  }
  return { parameters: fitted, problems };
}

/** `parameter layers[2]: got "x", expected number`; `of` names the notebook where several are run. */
export function problemLine(name: string, path: string, message: string, of?: string): string {
  return `parameter ${name}${path}${of === undefined ? "" : ` of ${of}`}: ${message}`;
}

/** papermill's words for the warning; an error says also what there is. */
function unknown(name: string, declared: ReadonlyMap<string, DeclaredParameter>, strict: boolean): string {
  if (!strict) return `Passed unknown parameter: ${name}`;
  const names = [...declared.keys()];
  const [near] = nearest(name, names, 1);
  if (near !== undefined) return `unknown parameter: ${name}; did you mean ${near}?`;
  const known = names.length === 0 ? "declares none" : `declares ${names.join(", ")}`;
  return `unknown parameter: ${name} (the notebook ${known})`;
}

/** Everything that was wrong with the parameters of one run, a line each. */
export class ParameterError extends UserError {
  /** One line for each parameter, or part of one, that was refused. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
