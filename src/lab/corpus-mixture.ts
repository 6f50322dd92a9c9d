import { curlQuotes, endSentence } from "./cleaning.js";
import type { CorpusSource, Document } from "./corpus-types.js";
import { mulberry32, shuffled } from "@alignscope/base/random";
import { hashFraction, normaliseWords, type OverlapIndex } from "./splits.js";

/* Which documents of which source the model reads, how often, and in which order. */

/**
 * How many times each source is read. Toxic comments are few and short beside the prose, so they are read more than
 * once (packed differently each time): about four tokens in ten are toxic then. Below 1, a seeded part is taken.
 */
export const SOURCE_WEIGHTS: Record<string, number> = {
  "jigsaw-toxic": 4,
  "jigsaw-clean": 1,
  "paradetox-toxic": 5,
  "paradetox-neutral": 1,
  "cannot-rewrite-toxic": 5,
  "cannot-rewrite-neutral": 1,
  "rtp-challenge-continuations": 2,
  "rtp-nontoxic": 2,
  "wiki-samples": 1,
  "wikitext-test": 1,
  "wikitext-valid": 1,
  brown: 1,
  "state-of-the-union": 0.2,
  "wordnet-examples": 1,
  "wordnet-definitions": 0.08,
};

/** Share of documents kept out of training to measure the loss on. */
const VALIDATION_SHARE = 0.02;

/** Share of documents that get typographic quotes and apostrophes: prompts from the web have them. */
const CURLY_SHARE = 0.1;

/** Texts of one sentence are joined until a document is about this long, drawn between the bounds, in characters. */
const PACKED_LENGTH = { from: 60, to: 420 };

/** A document of the mixture, and the name of the source it was drawn from. */
export interface DrawnDocument extends Document {
  source: string;
}

/** What became of a source. */
export interface SourceShare {
  source: CorpusSource;
  weight: number;
  /** Documents that are left after duplicates and texts that repeat a held-out one were dropped. */
  documents: number;
  dropped: { duplicates: number; heldOut: number };
}

export interface Mixture {
  train: DrawnDocument[];
  valid: DrawnDocument[];
  shares: SourceShare[];
}

/** Joins sentences to documents of a few, at random. */
function pack(documents: Document[], random: () => number): Document[] {
  const packed: Document[] = [];
  let text = "";
  let wanted = 0;
  const drawn = shuffled(documents, random);
  for (const [at, document] of drawn.entries()) {
    if (text === "") wanted = PACKED_LENGTH.from + random() ** 2 * (PACKED_LENGTH.to - PACKED_LENGTH.from);
    text = text === "" ? document.text : `${endSentence(text)} ${document.text}`;
    if (text.length >= wanted || at === drawn.length - 1) {
      packed.push({ text, toxic: document.toxic });
      text = "";
    }
  }
  return packed;
}

/** A source's documents, as often as its weight says. */
function repeat(
  source: CorpusSource,
  documents: Document[],
  weight: number,
  random: () => number,
): Document[] {
  const copies: Document[] = [];
  for (let rest = weight; rest > 0; rest--) {
    const copy = rest >= 1 ? documents : documents.filter(() => random() < rest);
    copies.push(...(source.packed ? pack(copy, random) : copy));
  }
  return copies.map((document) =>
    random() < CURLY_SHARE ? { ...document, text: curlQuotes(document.text) } : document,
  );
}

/**
 * Draws the training and validation documents from the sources: drops duplicates and what overlaps a held-out text,
 * parts what is left (pieces of one text stay on one side), and repeats each source as its weight says.
 *
 * @param weights by source name; a source that is not named is read once
 */
export function mixSources(
  sources: CorpusSource[],
  heldOut: OverlapIndex,
  seed: number,
  weights: Record<string, number> = SOURCE_WEIGHTS,
): Mixture {
  const random = mulberry32(seed);
  const seen = new Set<string>();
  const mixture: Mixture = { train: [], valid: [], shares: [] };
  for (const source of sources) {
    const weight = weights[source.name] ?? 1;
    const dropped = { duplicates: 0, heldOut: 0 };
    const train: Document[] = [];
    const valid: Document[] = [];
    for (const document of source.documents) {
      const words = normaliseWords(document.text);
      if (seen.has(words)) dropped.duplicates++;
      else if (heldOut.overlaps(document.text)) dropped.heldOut++;
      else {
        const kept = hashFraction(document.group ?? document.text, seed ^ 0x7e11) < VALIDATION_SHARE;
        (kept ? valid : train).push(document);
      }
      seen.add(words);
    }
    // Validation has the same mixture, so that its loss is that of training less what was learnt by heart.
    for (const document of repeat(source, train, weight, random)) {
      mixture.train.push({ ...document, source: source.name });
    }
    for (const document of repeat(source, valid, weight, random)) {
      mixture.valid.push({ ...document, source: source.name });
    }
    mixture.shares.push({ source, weight, documents: train.length + valid.length, dropped });
  }
  mixture.train = shuffled(mixture.train, random);
  mixture.valid = shuffled(mixture.valid, random);
  return mixture;
}
