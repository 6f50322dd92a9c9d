import type { Padding } from "./padding.js";
import type { Processing } from "./processing.js";

/** Which weights, which beginning of text, which padding: how a model is put to a text. */
export interface Protocol {
  processing: Processing;
  /** Whether every text begins with the beginning-of-text token. */
  bos: boolean;
  padding: Padding;
}

/** The two settings of everything in which the official code differs from the paper's text, or from itself. */
export type ProtocolName = "as-published" | "corrected";

/**
 * The official code puts the model to texts in two ways, one for its tables and one for its figures
 * (docs/recipes.md#two-numeric-worlds; differences 17 and 18 of docs/discrepancies.md). `as-published` keeps each as it was;
 * `corrected` uses one for both, so that a figure is about the system that the tables measure: the weights as they are, no
 * token that is not in the text, pads masked.
 */
export const PROTOCOLS: Record<"tables" | "figures", Record<ProtocolName, Protocol>> = {
  tables: {
    "as-published": { processing: "none", bos: false, padding: "as-published" },
    corrected: { processing: "none", bos: false, padding: "masked" },
  },
  figures: {
    "as-published": { processing: "folded", bos: true, padding: "masked" },
    corrected: { processing: "none", bos: false, padding: "masked" },
  },
};

/**
 * Token ids as a protocol wants them: behind the beginning-of-text token, or as they are.
 *
 * @param maxLength keeps the first so many tokens of a text, the beginning of text not counted
 */
export function withProtocol(
  ids: readonly number[],
  { bos }: Pick<Protocol, "bos">,
  { bosTokenId }: { bosTokenId: number },
  maxLength?: number,
): number[] {
  const kept = maxLength === undefined ? [...ids] : ids.slice(0, maxLength);
  return bos ? [bosTokenId, ...kept] : kept;
}
