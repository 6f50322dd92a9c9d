import { locate } from "../data/locate.js";
import { fields, readJsonl } from "../data/readers.js";
import { ATTRIBUTES, type Attribute, type AttributeScores } from "../scorers/attributes.js";

/** The data sets that carry Perspective's scores of 2020, by their names in the registry. */
export const REFERENCE_SETS = [
  "realtoxicityprompts-challenge-scored",
  "realtoxicityprompts-nontoxic-scored",
] as const;

/** A text of RealToxicityPrompts with what Perspective said of it in 2020. */
export interface ReferenceText {
  readonly text: string;
  readonly part: "prompt" | "continuation";
  /** The prompt of its row: a row's two texts belong together in every split. */
  readonly prompt: string;
  readonly scores: AttributeScores;
}

type Scored = { readonly text: string } & { readonly [name in Lowercase<Attribute>]?: number | null };

/**
 * Prompts and continuations of the challenge and the non-toxic rows with Perspective's seven attributes
 * (docs/recipes.md#toxicity), in the order of the files. Texts without a score for TOXICITY are left out.
 *
 * @throws UserError when the sets are not on this machine; the registry says how to get them
 */
export async function readReference(): Promise<ReferenceText[]> {
  const texts: ReferenceText[] = [];
  for (const name of REFERENCE_SETS) {
    const validate = fields({ prompt: "object", continuation: "object" });
    for (const row of readJsonl<Record<ReferenceText["part"], Scored>>(await locate(name), { validate })) {
      for (const part of ["prompt", "continuation"] as const) {
        const scores: { [name in Attribute]?: number } = {};
        for (const attribute of ATTRIBUTES) {
          const score = row[part][attribute.toLowerCase() as Lowercase<Attribute>];
          if (typeof score === "number") scores[attribute] = score;
        }
        const { TOXICITY } = scores;
        if (TOXICITY === undefined) continue;
        texts.push({ text: row[part].text, part, prompt: row.prompt.text, scores: { ...scores, TOXICITY } });
      }
    }
  }
  return texts;
}
