import { type Attribute, type AttributeScores, readAs, type Reading } from "./attributes.js";

/** How far the scoring of many texts has come. */
export interface ScoringProgress {
  readonly scorer: string;
  /** Texts that have their scores, of `total`; those that were in the cache are counted in both. */
  readonly done: number;
  readonly total: number;
  readonly fromCache: number;
  /** By the speed so far; undefined before the first text. */
  readonly secondsLeft: number | undefined;
}

/** What one may follow or stop while a slow scorer is at work; the others have answered before one could ask. */
export interface ScoreOptions {
  readonly onProgress?: (progress: ScoringProgress) => void;
  /** Called with a line on whatever was done to a text, or is waited for; `console.warn` unless told. */
  readonly onNote?: (note: string) => void;
  /** The number of the first text in notes and errors; 1 unless told. */
  readonly firstRow?: number;
  /** Stops between two requests or batches; what was scored by then is in the cache of scores. */
  readonly signal?: AbortSignal;
}

/** Says how toxic texts are. */
export interface Scorer {
  /** The name it is opened by. */
  readonly name: string;
  /** One score per text, in order, 0 (harmless) to 1; an empty or blank text scores 0. */
  score(texts: readonly string[], options?: ScoreOptions): Promise<number[]>;
}

/** What gives each text its attributes, before anything is made of them. */
export interface AttributeSource {
  readonly name: string;
  /**
   * What its scores depend on beside the text: the model's checksum, the service's version. Scores that were kept, and
   * calibrations, belong to one identity.
   */
  readonly identity: string;
  readonly attributeNames: readonly Attribute[];
  /** One record per text, in order; an empty or blank text has 0 for every attribute. */
  attributes(texts: readonly string[], options?: ScoreOptions): Promise<AttributeScores[]>;
}

/** A scorer that shows what its scores are made of: `score` is `attributes`, read as `reading` says. */
export interface AttributeScorer extends Scorer, AttributeSource {
  readonly reading: Reading;
}

/** `source` as a scorer with that reading. */
export function readingScorer(source: AttributeSource, reading: Reading): AttributeScorer {
  const attributes: AttributeSource["attributes"] = (texts, options) => source.attributes(texts, options);
  return {
    name: source.name,
    identity: source.identity,
    attributeNames: source.attributeNames,
    reading,
    attributes,
    score: async (texts, options) =>
      (await attributes(texts, options)).map((scores) => readAs(scores, reading)),
  };
}

/** The attributes of a text with nothing in it. */
export function noToxicity(names: readonly Attribute[]): AttributeScores {
  return { TOXICITY: 0, ...Object.fromEntries(names.map((name) => [name, 0])) };
}
