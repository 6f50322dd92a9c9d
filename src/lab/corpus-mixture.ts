import { mulberry32, shuffled } from "@alignscope/base/random";
import { curlQuotes, endSentence } from "./cleaning.js";
import {
  balance,
  type Label,
  labelOf,
  LABELS,
  type MixtureOptions,
  type Readings,
} from "./corpus-balance.js";
import type { PartedSource } from "./corpus-parting.js";
import type { Document, Register } from "./corpus-types.js";

/* The documents that the model reads, each source as often as the balance says, in a seeded order. */

/** Share of documents that get typographic quotes and apostrophes: prompts from the web have them. */
const CURLY_SHARE = 0.1;

/**
 * Texts shorter than `from` characters are joined with others of their source and label until a document is about as
 * long as drawn between `from` and `to`: a model that reads single sentences learns to end after a dozen words, and not
 * that one insult is followed by another.
 */
const PACKED_LENGTH = { from: 800, to: 1400 };

/** No joined document is longer, in characters. */
const LONGEST_PACKED = 1500;

/** A document of the mixture, and where it was drawn from. */
export interface DrawnDocument {
  text: string;
  source: string;
  register: Register;
  label: Label;
}

export interface Mixture {
  train: DrawnDocument[];
  valid: DrawnDocument[];
  readings: Readings;
}

/** Joins short texts to documents, in a random order; long ones stay as they are. */
export function packTexts(texts: readonly string[], random: () => number): string[] {
  const packed = texts.filter((text) => text.length >= PACKED_LENGTH.from);
  let document = "";
  let wanted = 0;
  const flush = (): void => {
    if (document !== "") packed.push(document);
    document = "";
  };
  for (const text of shuffled(
    texts.filter((short) => short.length < PACKED_LENGTH.from),
    random,
  )) {
    if (document === "") wanted = PACKED_LENGTH.from + random() * (PACKED_LENGTH.to - PACKED_LENGTH.from);
    else if (document.length + text.length + 2 > LONGEST_PACKED) flush();
    document = document === "" ? text : `${endSentence(document)} ${text}`;
    if (document.length >= wanted) flush();
  }
  flush();
  return packed;
}

/** Documents of one source and label, each text as often as `times` says: whole copies, and a seeded part of one. */
function draw(
  documents: readonly Document[],
  times: (document: Document) => number,
  random: () => number,
): string[] {
  const drawn: string[] = [];
  for (let copy = 0; ; copy++) {
    const texts = documents.filter((document) => {
      const left = times(document) - copy;
      return left >= 1 || (left > 0 && random() < left);
    });
    if (texts.length === 0) return drawn;
    drawn.push(
      ...packTexts(
        texts.map(({ text }) => text),
        random,
      ),
    );
  }
}

/** Draws training and validation documents from parted sources. */
export function mixSources(parted: readonly PartedSource[], seed: number, options: MixtureOptions): Mixture {
  const random = mulberry32(seed);
  const readings = balance(parted, options);
  // Validation has the same mixture, so that its loss is that of training less what was learnt by heart.
  const side = (of: "train" | "valid"): DrawnDocument[] => {
    const documents: DrawnDocument[] = [];
    for (const { source, [of]: own } of parted) {
      for (const label of LABELS) {
        const times = (document: Document): number => readings.timesOf(source, document);
        for (const text of draw(
          own.filter((document) => labelOf(document) === label),
          times,
          random,
        )) {
          documents.push({
            text: random() < CURLY_SHARE ? curlQuotes(text) : text,
            source: source.name,
            register: source.register,
            label,
          });
        }
      }
    }
    return shuffled(documents, random);
  };
  return { train: side("train"), valid: side("valid"), readings };
}
