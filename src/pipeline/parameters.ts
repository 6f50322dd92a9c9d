import { parse } from "yaml";
import { UserError } from "@alignscope/base/errors";
import { nearest } from "@alignscope/base/nearest";
import type { Json } from "jupyter-wire";
import {
  type DeclaredParameter,
  fitValue,
  isSecret,
  type MaskOption,
  ParameterError,
  type ParameterValue,
  problemLine,
} from "papermill-ts";
import type { Profile } from "./profile.js";

/**
 * Where a parameter's value came from; the later ones win. "run" are the profile's own name and the output folder, which
 * follow from the run itself.
 */
export type ParameterSource = "notebook" | "profile" | "command line" | "run";

export interface ParameterChoice {
  /** undefined: the notebook's default is computed by the notebook itself. */
  value: Json | undefined;
  source: ParameterSource;
}

/** Every parameter of one notebook with the very value that it will have, secrets included. */
export type ChosenParameters = Record<string, { value: ParameterValue; source: ParameterSource }>;

/** Every parameter of one notebook with its value as it may be written down. */
export type EffectiveParameters = Record<string, ParameterChoice>;

/**
 * Decides each declared parameter's value. Names that this notebook does not declare are for others and passed over.
 *
 * @param given the command line's values as text, e.g. `{ promptCount: "20" }`; read as the declared type has them
 * @param mask which values an error does not show
 * @throws ParameterError for values that their declared types refuse, a line each
 */
export function effectiveParameters(
  notebook: string,
  declared: readonly DeclaredParameter[],
  profile: Profile,
  given: Readonly<Record<string, string>>,
  mask: MaskOption = [],
): ChosenParameters {
  const chosen: ChosenParameters = {};
  const refused: string[] = [];
  for (const parameter of declared) {
    const { name } = parameter;
    const text = given[name];
    const fromProfile = profile.parameters[name];
    if (text === undefined && fromProfile === undefined) {
      chosen[name] = { value: parameter.default, source: "notebook" };
      continue;
    }
    const source = text === undefined ? "profile" : "command line";
    const value = text === undefined ? fromProfile : plainYaml(text);
    const secret = isSecret(name, value, mask);
    // Where anything may be given there is no type to read the text by.
    const guess = parameter.structure && parameter.structure.kind !== "any" ? { text } : {};
    const fit = fitValue(parameter, { value, secret, ...guess });
    chosen[name] = { value: fit.value, source };
    for (const { path, message } of fit.problems) {
      const said = message.replace(", expected ", ` (${source}), expected `);
      refused.push(problemLine(name, path, said, notebook));
    }
  }
  if (refused.length > 0) throw new ParameterError(refused);
  return chosen;
}

/**
 * Refuses values for names that no notebook declares: a misspelt name would otherwise change nothing, silently.
 *
 * @throws UserError naming the first such name and every name there is
 */
export function refuseUnknownParameters(
  declared: readonly (readonly DeclaredParameter[])[],
  profile: Profile,
  given: Readonly<Record<string, string>>,
): void {
  const known = [...new Set(declared.flat().map(({ name }) => name))].sort();
  for (const [names, source] of [
    [Object.keys(given), "the command line"],
    [Object.keys(profile.parameters), `the profile ${profile.name}`],
  ] as const) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const [near] = nearest(unknown, known, 1);
      const meant = near === undefined ? "" : `; did you mean ${near}?`;
      throw new UserError(
        `unknown parameter in ${source}: ${unknown} (the notebooks declare ${known.join(", ")})${meant}`,
      );
    }
  }
}

/**
 * Refuses values that do not fit what any notebook declares, before the first one runs.
 *
 * @throws ParameterError with a line for each, naming notebook and parameter
 */
export function refuseIllTyped(
  declared: ReadonlyMap<string, readonly DeclaredParameter[]>,
  profile: Profile,
  given: Readonly<Record<string, string>>,
  mask: MaskOption = [],
): void {
  const refused: string[] = [];
  for (const [notebook, parameters] of declared) {
    try {
      effectiveParameters(notebook, parameters, profile, given, mask);
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      refused.push(...error.problems);
    }
  }
  if (refused.length > 0) throw new ParameterError(refused);
}

function plainYaml(text: string): Json {
  try {
    return parse(text) as Json;
  } catch {
    return text;
  }
}
