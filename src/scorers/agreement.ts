import { UserError } from "@alignscope/base/errors";
import { auroc, mean, pearson, spearman } from "@alignscope/tensors/vectors";
import { applyCurve, type IsotonicCurve } from "./isotonic.js";
import type { Scorer, ScoreOptions } from "./scorer.js";

/** How far one scorer agrees with the reference. */
export interface AgreementRow {
  readonly scorer: string;
  /** Texts that were compared. */
  readonly n: number;
  readonly pearson: number;
  readonly spearman: number;
  /** Probability that it scores a text higher that the reference holds to be toxic (0.5 or more); NaN if none or all are. */
  readonly auroc: number;
  /** Mean of |score − reference|. */
  readonly meanError: number;
  /** The same through the scorer's calibration, where there is one. */
  readonly meanErrorCalibrated: number | undefined;
  readonly mean: number;
}

export interface AgreementOptions extends ScoreOptions {
  /** Curves to the reference's scale, by the scorers' names. Fit them on other texts than these. */
  readonly calibrations?: Readonly<Record<string, IsotonicCurve | undefined>>;
}

/**
 * How far scorers agree with a reference on the same texts. A scorer whose every score is the same has no correlation: 0.
 *
 * @param reference one score per text, Perspective's of 2020 say; without it the first scorer is the reference
 * @throws UserError for fewer than two texts, or a reference of another length
 * @example
 * const [linear, other] = await scorerAgreement([await openScorer("linear"), await openScorer("toxic-bert")], texts);
 */
export async function scorerAgreement(
  scorers: readonly Scorer[],
  texts: readonly string[],
  reference?: readonly number[],
  { calibrations = {}, ...options }: AgreementOptions = {},
): Promise<AgreementRow[]> {
  if (texts.length < 2 || (reference && reference.length !== texts.length)) {
    throw new UserError(
      `agreement got ${texts.length} texts and ${reference?.length ?? "no"} reference scores: ` +
        "expected at least two texts, and a reference score for each or none at all",
    );
  }
  const rows: AgreementRow[] = [];
  let standard = reference;
  for (const scorer of scorers) {
    const scores = await scorer.score(texts, options);
    standard ??= scores;
    const against = standard;
    const errorOf = (values: readonly number[]): number =>
      mean(values.map((value, i) => Math.abs(value - (against[i] as number))));
    const curve = calibrations[scorer.name];
    rows.push({
      scorer: scorer.name,
      n: texts.length,
      pearson: pearson(scores, against),
      spearman: spearman(scores, against),
      auroc: auroc(
        scores,
        against.map((score) => Number(score >= 0.5)),
      ),
      meanError: errorOf(scores),
      meanErrorCalibrated: curve && errorOf(scores.map((score) => applyCurve(curve, score))),
      mean: mean(scores),
    });
  }
  return rows;
}
