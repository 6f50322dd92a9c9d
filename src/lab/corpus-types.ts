/**
 * A way of writing. Toxic and clean texts are as many in each, so that what the model learns to tell apart is toxicity
 * and not, say, a tweet from a book; `prose` and `talk` have no toxic side.
 */
export type Register =
  "talk-page" | "sentences" | "web" | "tweets" | "comments" | "forum" | "reviews" | "talk" | "prose";

/** A text the model learns from. */
export interface Document {
  text: string;
  /** What is kept together when documents are held out for validation: pieces of one text, versions of one sentence. */
  group?: string;
  /** Whether it is toxic, by people's labels or by the scorer; undefined: neither toxic nor a clean twin. */
  toxic?: boolean;
  /** A toxic text with hardly a swear word, of which less is read. */
  mild?: boolean;
}

/** The documents of one origin, cleaned, in a fixed order, before duplicates and held-out texts are dropped. */
export interface CorpusSource {
  name: string;
  register: Register;
  licence: string;
  /** The file or package the documents come from, where that was first published, and its digest. */
  input: string;
  origin?: string;
  sha256: string;
  documents: Document[];
  /**
   * A source of the texts that models are compared on in bits per byte: what is held out of it for validation is kept
   * as text, and no other source may repeat it.
   */
  measured?: boolean;
}

/** The longest document of one text, in characters. */
export const PIECE_LENGTH = 1200;
