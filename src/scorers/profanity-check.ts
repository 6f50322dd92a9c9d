import { parseJson, UserError } from "@alignscope/base/errors";
import { locate } from "../data/locate.js";
import { readText } from "../data/readers.js";
import { registered } from "../data/registry.js";
import type { AttributeScores } from "./attributes.js";
import type { AttributeSource, Scorer } from "./scorer.js";

/** One of the calibrated linear classifiers that are averaged. */
interface Fold {
  readonly coef: readonly number[];
  readonly intercept: number;
  /** p = 1 / (1 + exp(a · margin + b)) */
  readonly a: number;
  readonly b: number;
}

/** Runs of at least two letters, digits or underscores: scikit-learn's `(?u)\b\w\w+\b`. */
const terms = /[\p{L}\p{N}_]{2,}/gu;

/**
 * The classifier of the Python package profanity-check: a linear support-vector machine over counts of single words,
 * five calibrated folds averaged. Trained by others on other data, so it can contradict the project's own scorer.
 */
export class ProfanityCheckScorer implements Scorer, AttributeSource {
  readonly name = "profanity-check";
  readonly attributeNames = ["TOXICITY"] as const;
  /** The file is compared with its sha256 wherever it is read from. */
  readonly identity = `profanity-check:${registered("profanity-check-linear").sha256}`;

  private constructor(
    private readonly vocabulary: ReadonlyMap<string, number>,
    private readonly folds: readonly Fold[],
  ) {}

  /**
   * @param path the model as JSON; without one it is looked for as `profanity-check-linear` in the registry
   * @throws UserError when the file is found nowhere or is not such a model
   */
  static async load(path?: string): Promise<ProfanityCheckScorer> {
    const file = await locate("profanity-check-linear", path === undefined ? {} : { path });
    const { vocab, folds } = parse(file);
    const vocabulary = new Map(vocab.map((term, index) => [term, index]));
    return new ProfanityCheckScorer(vocabulary, folds);
  }

  /** The score of one text, 0 to 1; an empty or blank text scores 0. */
  scoreOne(text: string): number {
    if (text.trim() === "") return 0;
    const found: number[] = [];
    for (const term of text.toLowerCase().match(terms) ?? []) {
      const index = this.vocabulary.get(term);
      if (index !== undefined) found.push(index);
    }
    let sum = 0;
    for (const { coef, intercept, a, b } of this.folds) {
      let margin = intercept;
      for (const index of found) margin += coef[index] as number;
      sum += 1 / (1 + Math.exp(a * margin + b));
    }
    return sum / this.folds.length;
  }

  score(texts: readonly string[]): Promise<number[]> {
    return Promise.resolve(texts.map((text) => this.scoreOne(text)));
  }

  attributes(texts: readonly string[]): Promise<AttributeScores[]> {
    return Promise.resolve(texts.map((text) => ({ TOXICITY: this.scoreOne(text) })));
  }
}

function parse(path: string): { vocab: string[]; folds: Fold[] } {
  const model = parseJson<{ vocab?: string[]; folds?: Fold[] } | null>(
    readText(path),
    (why) => `${path} is not JSON (${why})`,
  );
  const { vocab, folds } = model ?? {};
  const fits =
    Array.isArray(vocab) &&
    Array.isArray(folds) &&
    folds.length > 0 &&
    folds.every(({ coef }) => coef.length === vocab.length);
  if (!fits) {
    throw new UserError(
      `${path} is not a profanity-check model: expected vocab and folds of as many weights`,
    );
  }
  return { vocab, folds };
}
