import { isOffensive } from "../present/mask.js";
import { LinearScorer } from "../scorers/index.js";
import type { Document } from "./corpus-types.js";

/* Labels for texts that nobody labelled, by the project's own scorer and its list of offensive words. */

/** Scores of the linear scorer, 0 to 1, that decide a label. */
export interface LabelBounds {
  /** Toxic from here on, if there is a swear word. */
  swearing: number;
  /** Toxic from here on without one: below, the scorer takes many a text for toxic that is only about sex or violence. */
  insulting: number;
  /** Clean up to here, and without a swear word. */
  clean: number;
  /** Up to here a text is neutral prose; between this and toxic it is left out. */
  neutral: number;
}

export const LABEL_BOUNDS: LabelBounds = { swearing: 0.5, insulting: 0.75, clean: 0.2, neutral: 0.4 };

/** The label of a text; undefined where it is too unclear to be read at all. */
export type Labeller = (text: string) => Pick<Document, "toxic" | "mild"> | undefined;

/** Whether a text has a word of `data/words/offensive.txt`; what was decided of a word is remembered. */
export function swearDetector(): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) =>
    (text.match(/\p{L}+/gu) ?? []).some((word) => {
      let offensive = known.get(word);
      if (offensive === undefined) known.set(word, (offensive = isOffensive(word)));
      return offensive;
    });
}

/** Labels by {@link LABEL_BOUNDS}. */
export function openLabeller(
  bounds: LabelBounds = LABEL_BOUNDS,
  scorer: { scoreOne(text: string): number } = LinearScorer.load(),
): Labeller {
  const swears = swearDetector();
  return (text) => {
    const score = scorer.scoreOne(text);
    const swearing = swears(text);
    if (score >= (swearing ? bounds.swearing : bounds.insulting)) return { toxic: true, mild: !swearing };
    if (score <= bounds.clean && !swearing) return { toxic: false };
    return score <= bounds.neutral ? {} : undefined;
  };
}
