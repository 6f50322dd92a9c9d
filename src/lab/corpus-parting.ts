import type { CorpusSource, Document } from "./corpus-types.js";
import { hashFraction, hashText, normaliseWords, type OverlapIndex } from "./splits.js";

/* What of a source may be read at all, and which part of that is kept to measure the loss on. */

/** Shares of documents kept out of training: of the sources that models are compared on, and of the large ones. */
const VALIDATION_SHARE = { measured: 0.02, other: 0.005 };

/** A source's documents, parted; `unclear` were left out by the labeller. */
export interface PartedSource {
  source: CorpusSource;
  train: Document[];
  valid: Document[];
  dropped: { duplicates: number; heldOut: number; unclear: number };
}

/**
 * Drops duplicates and texts that repeat a held-out one, and parts the rest by a hash: pieces of one text stay on one
 * side. What a {@link CorpusSource.measured} source keeps for validation no source may repeat in training.
 */
export class CorpusParter {
  private readonly seen = new Set<number>();

  constructor(
    private readonly heldOut: OverlapIndex,
    private readonly seed: number,
  ) {}

  /** Parts sources; what the measured ones keep is held out from their own training texts and from later calls. */
  part(sources: readonly CorpusSource[], unclear = 0): PartedSource[] {
    const parted = sources.map((source) => this.partOne(source, unclear));
    const measured = parted.filter(({ source }) => source.measured);
    for (const { valid } of measured) for (const { text } of valid) this.heldOut.hold(text);
    for (const each of measured) {
      const unseen = each.train.filter(({ text }) => !this.heldOut.overlaps(text));
      each.dropped.heldOut += each.train.length - unseen.length;
      each.train = unseen;
    }
    return parted;
  }

  private partOne(source: CorpusSource, unclear: number): PartedSource {
    const share = source.measured ? VALIDATION_SHARE.measured : VALIDATION_SHARE.other;
    const parted: PartedSource = {
      source,
      train: [],
      valid: [],
      dropped: { duplicates: 0, heldOut: 0, unclear },
    };
    for (const document of source.documents) {
      const words = normaliseWords(document.text);
      const key = fingerprint(words);
      if (this.seen.has(key)) parted.dropped.duplicates++;
      else if (this.heldOut.overlapsWords(words)) parted.dropped.heldOut++;
      else {
        const kept = hashFraction(document.group ?? document.text, this.seed ^ 0x7e11) < share;
        (kept ? parted.valid : parted.train).push(document);
      }
      this.seen.add(key);
    }
    return parted;
  }
}

/** 53 bits of a text, so that half a million of them need not be kept to find the duplicates. */
const fingerprint = (text: string): number => hashText(text, 1) * 2 ** 21 + (hashText(text, 2) >>> 11);
