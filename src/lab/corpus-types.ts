/** A text the model learns from. */
export interface Document {
  text: string;
  /** What is kept together when documents are held out for validation: pieces of one text, versions of one sentence. */
  group?: string;
  /** Whether people called it toxic. */
  toxic?: boolean;
}

/** The documents of one origin, cleaned, in a fixed order, before duplicates and held-out texts are dropped. */
export interface CorpusSource {
  name: string;
  licence: string;
  /** The file or package the documents come from, and its digest. */
  input: string;
  sha256: string;
  documents: Document[];
  /**
   * Documents are single sentences: join a few into one document, so that the model does not learn that a text ends
   * after a dozen words, and does learn that one insult is followed by another.
   */
  packed?: boolean;
}

/** The longest document in characters: about twice the model's context. */
export const PIECE_LENGTH = 1200;
