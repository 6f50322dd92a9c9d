import { streamJsonlGz } from "./corpus-readers.js";
import { registered } from "../data/registry.js";
import { isProse, splitEvenly, tidy } from "./cleaning.js";
import type { Labeller } from "./corpus-labels.js";
import { type CorpusSource, type Document, PIECE_LENGTH, type Register } from "./corpus-types.js";
import { locateDataset } from "./splits.js";

/* The large sets that are registered for this corpus alone: cleaned text without labels. */

/** The sets by their names in the registry, without "corpus-". */
const REGISTERS: Record<string, Register> = {
  "chat-topical": "talk",
  "classic-books-1": "prose",
  "classic-books-2": "prose",
  "comments-edos": "comments",
  "comments-stormfront": "comments",
  "comments-toxic-spans": "comments",
  "imdb-reviews": "reviews",
  medquad: "prose",
  newsgroups: "forum",
  "nltk-movie-reviews": "reviews",
  "nltk-prose": "prose",
  podcasts: "prose",
  "reddit-comments": "comments",
  "reddit-general-1": "forum",
  "reddit-general-2": "forum",
  "reddit-talk": "forum",
  "reddit-titles": "comments",
  "tweets-davidson": "tweets",
  "tweets-olid": "tweets",
  "tweets-tweeteval": "tweets",
  "web-treebanks": "talk",
  wikipedia: "prose",
};

/** Registers that have no toxic side worth looking for. */
const UNLABELLED: readonly Register[] = ["prose", "talk"];

/**
 * The longest piece of a text that gets a label. A long post is seldom toxic throughout: pieces of about the model's
 * context find the part that is.
 */
const LABELLED_LENGTH = 600;

/** A set's documents; `unclear` are the pieces that the {@link Labeller} leaves out. */
export async function readRegistered(
  set: string,
  mirror: string | undefined,
  label: Labeller,
): Promise<{ source: CorpusSource; unclear: number }> {
  const register = REGISTERS[set] as Register;
  const name = `corpus-${set}`;
  const { licence, origin, sha256 } = registered(name);
  const scored = !UNLABELLED.includes(register);
  const documents: Document[] = [];
  let unclear = 0;
  for await (const row of streamJsonlGz<{ text: string }>(await locateDataset(name, mirror))) {
    const group = row.text.slice(0, 200);
    for (const text of splitEvenly(tidy(row.text), scored ? LABELLED_LENGTH : PIECE_LENGTH)) {
      if (!isProse(text)) continue;
      const labels = scored ? label(text) : {};
      if (labels) documents.push({ text, group, ...labels });
      else unclear++;
    }
  }
  return { source: { name: set, register, licence, origin, input: name, sha256, documents }, unclear };
}

/** Every registered set of the corpus, one after the other, so that each can be thinned out before the next is read. */
export async function* registeredSources(
  mirror: string | undefined,
  label: Labeller,
): AsyncGenerator<{ source: CorpusSource; unclear: number; fraction: number }> {
  const sets = Object.keys(REGISTERS);
  for (const [at, set] of sets.entries()) {
    yield { ...(await readRegistered(set, mirror, label)), fraction: (at + 1) / sets.length };
  }
}
