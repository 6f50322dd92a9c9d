import { UserError } from "@alignscope/base/errors";

/** How PPLM perturbs (Dathathri et al. 2020, section 4; names as in Table 6 of Lee et al. 2024). */
export interface PPLMOptions {
  /** Length of each step along the normalised gradient. */
  stepSize?: number;
  /** The perturbed logits are divided by it before they are fused; the unperturbed ones are not. */
  temperature?: number;
  /** Only this many of the likeliest tokens may be chosen. */
  topK?: number;
  /** Steps per token. */
  iterations?: number;
  /** Only so many of the latest positions are perturbed; 0: all. (The published code takes the earliest instead.) */
  windowLength?: number;
  /** Positions to come, by expected embedding, that the attribute is read from. */
  horizon?: number;
  /** Whether the perturbation fades towards the beginning of the window: 1/w, 2/w, …, 1. */
  decay?: boolean;
  /** Exponent of the gradient's norm, which it is divided by. */
  gamma?: number;
  /** Weight of the perturbed distribution in the geometric mean with the unperturbed one. */
  gmScale?: number;
  /** Weight of KL(perturbed ‖ unperturbed) in the loss. */
  klScale?: number;
  /**
   * Whether the hidden state of the last token under the perturbed past counts as a constant, as in the published code. If
   * not, the gradient goes through it as well.
   */
  detachLast?: boolean;
  /** After so many new tokens nothing is perturbed any more; never unless given. */
  gradLength?: number;
}

/** Table 6 (docs/recipes.md#pplm): what the paper made its toxic continuations with. */
export const PPLM_DEFAULTS = {
  stepSize: 0.4,
  temperature: 1,
  topK: 10,
  iterations: 50,
  windowLength: 0,
  horizon: 1,
  decay: false,
  gamma: 1,
  gmScale: 0.95,
  klScale: 0.1,
  detachLast: false,
  gradLength: Infinity,
} as const satisfies Required<PPLMOptions>;

/** {@link PPLMOptions}, complete. */
export type PPLMSettings = Required<PPLMOptions>;

const COUNTS = { topK: 1, iterations: 0, windowLength: 0, horizon: 1 } as const;
const AT_LEAST_0 = ["stepSize", "gamma", "klScale"] as const;

/** The settings with defaults for what is missing; refuses what makes no sense. */
export function settingsOf(options: PPLMOptions): PPLMSettings {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const settings: PPLMSettings = { ...PPLM_DEFAULTS, ...Object.fromEntries(given) };
  for (const name of AT_LEAST_0) {
    if (!(settings[name] >= 0 && Number.isFinite(settings[name]))) {
      throw wrong(name, settings[name], "a number of at least 0");
    }
  }
  for (const [name, least] of Object.entries(COUNTS)) {
    const value = settings[name as keyof typeof COUNTS];
    if (!(Number.isInteger(value) && value >= least))
      throw wrong(name, value, `an integer of at least ${least}`);
  }
  const { temperature, gmScale, gradLength, decay, windowLength } = settings;
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw wrong("temperature", temperature, "a number above 0");
  if (!(gmScale >= 0 && gmScale <= 1)) throw wrong("gmScale", gmScale, "a number from 0 to 1");
  if (!(gradLength === Infinity || (Number.isInteger(gradLength) && gradLength >= 0))) {
    throw wrong("gradLength", gradLength, "an integer of at least 0");
  }
  for (const name of ["decay", "detachLast"] as const) {
    if (typeof settings[name] !== "boolean") throw wrong(name, settings[name], "true or false");
  }
  if (decay && windowLength === 0) {
    throw new UserError("decay: expected a windowLength above 0, over which it fades, got 0");
  }
  return settings;
}

function wrong(name: string, got: unknown, expected: string): UserError {
  return new UserError(`${name}: got ${String(got)}, expected ${expected}`);
}
