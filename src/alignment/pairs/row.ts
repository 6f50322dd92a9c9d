import type { PreferencePair } from "../preference-pair.js";

/**
 * A line of a file of pairs. The first three fields are those of the published set (docs/recipes.md#preference-pairs), and all
 * that its readers look at; the others say more about rows that were made here.
 */
export interface PairRow {
  prompt_text: string;
  /** The preferred continuation: the model's own, greedy. */
  unpert_gen_text: string;
  /** The other one: PPLM's, toxic. */
  pert_gen_text: string;
  /** Which prompt of the list, from 0. */
  id?: number;
  /** Toxicity of the continuations, 0 to 1. */
  unpert_toxicity?: number;
  pert_toxicity?: number;
  /** Lengths in tokens, as generated. */
  prompt_tokens?: number;
  unpert_tokens?: number;
  pert_tokens?: number;
  /** KL(perturbed ‖ unperturbed) of the next token, mean over the tokens of PPLM's continuation, in nats. */
  pert_kl?: number;
}

/** Two numbers about a pair, one per side. */
export interface Sides<T> {
  chosen: T;
  rejected: T;
}

/** A {@link PreferencePair} with what its file says about it. */
export interface ReadPair extends PreferencePair {
  toxicity?: Sides<number>;
  tokens?: Sides<number> & { prompt: number };
  /** {@link PairRow.pert_kl}. */
  divergence?: number;
}

/** A pair and the line of its file that it ends on, from 1. */
export interface LocatedPair {
  pair: ReadPair;
  line: number;
}

/** A pair as a line of a file, without its line feed. */
export function rowText(row: PairRow): string {
  return JSON.stringify(row);
}

/** Says what is wrong with a record as a row of pairs, or nothing. */
export function objection(record: unknown): string | undefined {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return `expected an object with ${TEXTS.join(", ")}`;
  }
  for (const name of TEXTS) {
    const value = (record as Record<string, unknown>)[name];
    if (value === undefined) return `no ${name} (expected a string)`;
    if (typeof value !== "string") return `${name} is a ${typeof value}, expected a string`;
  }
  for (const name of NUMBERS) {
    const value = (record as Record<string, unknown>)[name];
    if (value !== undefined && !Number.isFinite(value)) {
      return `${name} is ${JSON.stringify(value)}, expected a number`;
    }
  }
  return undefined;
}

/** Whether a line of a file is the row of that prompt. */
export function isRow(line: string, id: number): boolean {
  try {
    const record = JSON.parse(line) as { id?: unknown };
    return objection(record) === undefined && record.id === id;
  } catch {
    return false;
  }
}

const TEXTS = ["prompt_text", "unpert_gen_text", "pert_gen_text"] as const;
const NUMBERS = [
  "unpert_toxicity",
  "pert_toxicity",
  "prompt_tokens",
  "unpert_tokens",
  "pert_tokens",
  "pert_kl",
] as const;

/** A row as a pair; `place`, its file and line, becomes its id. */
export function pairOf(row: PairRow, place: string): ReadPair {
  const { unpert_toxicity, pert_toxicity, prompt_tokens, unpert_tokens, pert_tokens, pert_kl } = row;
  return {
    id: place,
    prompt: row.prompt_text,
    chosen: row.unpert_gen_text,
    rejected: row.pert_gen_text,
    ...(unpert_toxicity !== undefined && pert_toxicity !== undefined
      ? { toxicity: { chosen: unpert_toxicity, rejected: pert_toxicity } }
      : {}),
    ...(prompt_tokens !== undefined && unpert_tokens !== undefined && pert_tokens !== undefined
      ? { tokens: { prompt: prompt_tokens, chosen: unpert_tokens, rejected: pert_tokens } }
      : {}),
    ...(pert_kl === undefined ? {} : { divergence: pert_kl }),
  };
}
