import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../model/index.js";

/** A model before and after alignment; both stay the caller's, on weights of one processing. */
export interface ModelPair {
  before: GPT2;
  after: GPT2;
}

/** Refuses models of unequal shape: their residual streams cannot be subtracted. */
export function checkPair({ before, after }: ModelPair): void {
  for (const key of ["nLayer", "dModel", "dMlp", "vocabSize"] as const) {
    const [own, other] = [before.config[key], after.config[key]];
    if (own === other) continue;
    throw new UserError(
      `two models to compare: ${key} is ${own} before and ${other} after, expected one shape`,
    );
  }
}

/** Refuses no texts, and texts without tokens. */
export function checkTexts(what: string, sequences: readonly (readonly number[])[]): void {
  if (sequences.length === 0) throw new UserError(`${what} got no prompts: expected at least one`);
  const empty = sequences.findIndex((ids) => ids.length === 0);
  if (empty >= 0) throw new UserError(`${what}: prompt ${empty} is empty, expected at least one token`);
}

/** Refuses what is no block of the model. */
export function checkLayer(what: string, layer: number, { nLayer }: { nLayer: number }, lowest = 0): void {
  if (Number.isInteger(layer) && layer >= lowest && layer < nLayer) return;
  throw new UserError(`${what}: layer ${layer}, expected ${lowest} to ${nLayer - 1}`);
}
