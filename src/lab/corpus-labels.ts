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

const LABEL_BOUNDS: LabelBounds = { swearing: 0.5, insulting: 0.75, clean: 0.2, neutral: 0.4 };

/** The label of a text; undefined where it is too unclear to be read at all. */
export type Labeller = (text: string) => Pick<Document, "toxic" | "mild"> | undefined;

/** The share of a text's words that are in `data/words/offensive.txt`; what was decided of a word is remembered. */
export function swearCounter(): (text: string) => number {
  const known = new Map<string, boolean>();
  const offensive = (word: string): boolean => {
    let is = known.get(word);
    if (is === undefined) known.set(word, (is = isOffensive(word)));
    return is;
  };
  return (text) => {
    const words = text.match(/\p{L}+/gu) ?? [];
    return words.filter(offensive).length / Math.max(1, words.length);
  };
}

/** A toxic text with fewer swear words than this is mild: one in a story of a hundred words is none of its subject. */
const MILD_SHARE = 0.02;

/** Whether a toxic text is {@link Document.mild}, by what {@link swearCounter} says of it. */
export const isMild = (swearShare: number): boolean => swearShare < MILD_SHARE;

/** Labels by {@link LABEL_BOUNDS}. */
export function openLabeller(
  bounds: LabelBounds = LABEL_BOUNDS,
  scorer: { scoreOne(text: string): number } = LinearScorer.load(),
): Labeller {
  const swearShareOf = swearCounter();
  return (text) => {
    const score = scorer.scoreOne(text);
    const share = swearShareOf(text);
    if (score >= (share > 0 ? bounds.swearing : bounds.insulting))
      return { toxic: true, mild: isMild(share) };
    if (score <= bounds.clean && share === 0) return { toxic: false };
    return score <= bounds.neutral ? {} : undefined;
  };
}
