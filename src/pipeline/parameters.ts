import { parse } from "yaml";
import { UserError } from "../data/errors";
import type { Json } from "../jupyter";
import type { DeclaredParameter } from "./declared-parameters";
import type { Profile } from "./profile";

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

/** Every parameter of one notebook with the value that it will have. */
export type EffectiveParameters = Record<string, ParameterChoice>;

/**
 * Decides each declared parameter's value. Names that this notebook does not declare are for others and passed over.
 *
 * @param given the command line's values as text, e.g. `{ promptCount: "20" }`; read as YAML unless the parameter is
 * declared as a string or the text is no other value that its type allows
 * @throws UserError for a value that the declared type refuses
 */
export function effectiveParameters(
  notebook: string,
  declared: readonly DeclaredParameter[],
  profile: Profile,
  given: Readonly<Record<string, string>>,
): EffectiveParameters {
  const chosen: EffectiveParameters = {};
  for (const parameter of declared) {
    const { name } = parameter;
    const text = given[name];
    const fromProfile = profile.parameters[name];
    if (text !== undefined) {
      chosen[name] = { value: readValue(text, parameter), source: "command line" };
    } else if (fromProfile !== undefined) {
      chosen[name] = { value: fromProfile, source: "profile" };
    } else {
      chosen[name] = { value: parameter.default, source: "notebook" };
    }
    const { value, source } = chosen[name];
    if (source !== "notebook" && value !== undefined && !parameter.accepts(value)) {
      throw new UserError(
        `parameter ${name} of ${notebook}: got ${JSON.stringify(value)} (${source}), expected ${parameter.type ?? typeof parameter.default}`,
      );
    }
  }
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
      throw new UserError(
        `unknown parameter in ${source}: ${unknown} (the notebooks declare ${known.join(", ")})`,
      );
    }
  }
}

function readValue(text: string, parameter: DeclaredParameter): Json {
  let value: Json;
  try {
    value = parse(text) as Json;
  } catch {
    return text;
  }
  return parameter.accepts(value) || !parameter.accepts(text) ? value : text;
}
