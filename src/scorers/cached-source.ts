import type { Attribute, AttributeScores } from "./attributes.js";
import { ScoreCache, type ScoreCacheOptions } from "./score-cache.js";
import { type AttributeSource, noToxicity, type ScoreOptions, type ScoringProgress } from "./scorer.js";

/** A text that is in no cache, and where it stands among those that were asked for. */
export interface Unscored {
  readonly text: string;
  /** From 1, or from the number that the caller gives its first text. */
  readonly row: number;
}

/** What a slow scorer does itself; all the rest is {@link CachedSource}'s. */
export interface SlowScorer {
  readonly name: string;
  /** See {@link AttributeSource.identity}. */
  readonly identity: string;
  readonly attributeNames: readonly Attribute[];
  /**
   * Scores texts, no two of them equal and none blank, and gives each to `keep` as soon as it has its scores. What was
   * given to `keep` is safe whatever happens next.
   *
   * @throws UserError in one line when it has to give up
   */
  scoreEach(
    texts: readonly Unscored[],
    keep: (text: string, scores: AttributeScores) => void,
    options: Required<Pick<ScoreOptions, "onNote">> & Pick<ScoreOptions, "signal">,
  ): Promise<void>;
}

/**
 * A slow scorer with the cache of scores in front of it: equal texts are scored once, those that were scored before not
 * at all, and a run that was stopped goes on where it was.
 */
export class CachedSource implements AttributeSource {
  readonly name: string;
  readonly identity: string;
  readonly attributeNames: readonly Attribute[];
  readonly cache: ScoreCache;

  constructor(
    private readonly scorer: SlowScorer,
    options: ScoreCacheOptions = {},
  ) {
    this.name = scorer.name;
    this.identity = scorer.identity;
    this.attributeNames = scorer.attributeNames;
    this.cache = new ScoreCache(scorer.name, scorer.identity, scorer.attributeNames, options);
  }

  async attributes(
    texts: readonly string[],
    { onProgress, onNote = (note) => console.warn(note), firstRow = 1, signal }: ScoreOptions = {},
  ): Promise<AttributeScores[]> {
    this.cache.refresh();
    const known = new Map<string, AttributeScores>();
    const unscored = new Map<string, Unscored>();
    const timesOf = new Map<string, number>();
    for (const [i, text] of texts.entries()) {
      timesOf.set(text, (timesOf.get(text) ?? 0) + 1);
      const scores = text.trim() === "" ? noToxicity(this.attributeNames) : this.cache.get(text);
      if (scores) known.set(text, scores);
      else if (!unscored.has(text)) unscored.set(text, { text, row: i + firstRow });
    }

    const total = texts.length;
    const fromCache = [...known.keys()].reduce((sum, text) => sum + (timesOf.get(text) ?? 0), 0);
    let done = fromCache;
    const started = performance.now();
    const report = (): void => {
      const seconds = (performance.now() - started) / 1000;
      const secondsLeft = done > fromCache ? (seconds / (done - fromCache)) * (total - done) : undefined;
      const progress: ScoringProgress = {
        scorer: this.name,
        done,
        total,
        fromCache,
        secondsLeft: done === total ? 0 : secondsLeft,
      };
      onProgress?.(progress);
    };
    report();
    if (unscored.size > 0) {
      signal?.throwIfAborted();
      const keep = (text: string, scores: AttributeScores): void => {
        this.cache.put(text, scores);
        known.set(text, scores);
        done += timesOf.get(text) ?? 0;
        report();
      };
      await this.scorer.scoreEach([...unscored.values()], keep, { onNote, ...(signal ? { signal } : {}) });
    }
    return texts.map((text, i) => {
      const scores = known.get(text);
      if (!scores) throw new Error(`${this.name} gave no scores for text ${i + 1}`);
      return scores;
    });
  }
}
