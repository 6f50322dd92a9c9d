import { UserError, messageOf } from "@alignscope/base/errors";
import type { Parameters, ParameterValue } from "../options.js";

/** What stands in the place of a secret in everything that is written. */
export const MASK = "********";

/** Which parameters are secrets: none (`false`), or those whose name says so and those that a pattern matches. */
export type MaskOption = false | readonly string[];

/** A word of these anywhere in a name, or several in a row, make it a secret's. */
const ANYWHERE = new RegExp(
  `(?:^| )(?:passwords?|passwd|pwd|passphrases?|passcode|secrets?|credentials?|apikeys?|authorization|bearer|authtoken|accesstoken|${[
    "(?:api|private|access|secret|signing|encryption|account) keys?",
    "connection string",
  ].join("|")})(?: |$)`,
);
/** These do so as its last word only: `hfToken` holds one, `tokenCount` counts some. */
const LAST = /(?:^| )(?:token|auth)$/;

/**
 * Whether a name alone says that its value is a secret: `apiKey`, `db_password`, `HF_TOKEN`; not `maxNewTokens`,
 * `keyComments`, `secretary`.
 */
export function soundsSecret(name: string): boolean {
  const words = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .toLowerCase();
  return ANYWHERE.test(words) || LAST.test(words);
}

/**
 * Whether a parameter is to be masked. A name that only sounds like a secret's does not make one of a number or a
 * boolean (`token: -1`); a pattern makes one of anything.
 */
export function isSecret(name: string, value: ParameterValue, mask: MaskOption = []): boolean {
  if (mask === false || value === undefined || value === null || value === "") return false;
  if (mask.some((pattern) => compile(pattern).test(name))) return true;
  return (typeof value === "string" || typeof value === "object") && soundsSecret(name);
}

/** The parameters with every secret masked. */
export function maskParameters(parameters: Parameters, mask?: MaskOption): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, isSecret(name, value, mask) ? MASK : value]),
  );
}

/**
 * Refuses templates of paths that would write a secret into a file's name.
 *
 * @throws UserError naming the first such parameter
 */
export function refuseSecretsInPath(template: string, parameters: Parameters, mask?: MaskOption): void {
  for (const [, name = ""] of template.matchAll(/(?<!\{)\{([\p{L}_$][\p{L}\p{N}_$]*)[^{}]*\}/gu)) {
    if (!Object.hasOwn(parameters, name) || !isSecret(name, parameters[name], mask)) continue;
    throw new UserError(
      `the path ${template} would show the parameter ${name}, which is masked: name the file without it`,
    );
  }
}

/** A regular expression, sought anywhere in the name, whatever the case. */
function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "iu");
  } catch (error) {
    throw new UserError(`"${pattern}" is no pattern of parameters to mask (${messageOf(error)})`);
  }
}
