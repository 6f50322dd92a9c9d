/**
 * A rising curve from a classifier's log-odds to scores: straight between knots in log-odds of both, with slope 1 beyond
 * the first and the last. Equal log-odds, and only those, get equal scores, so no ranking is lost.
 */
export interface Calibration {
  /** Log-odds of the knots, ascending. */
  readonly logits: readonly number[];
  /** Scores at the knots, ascending, strictly between 0 and 1. */
  readonly scores: readonly number[];
}

const logOdds = (score: number): number => Math.log(score / (1 - score));

/** Whether `value` is a calibration that {@link scoreOfLogit} can follow. */
export function isCalibration(value: unknown): value is Calibration {
  const { logits, scores } = (value ?? {}) as Partial<Calibration>;
  const ascending = (list: unknown): list is number[] =>
    Array.isArray(list) &&
    list.length > 0 &&
    list.every((x, i) => Number.isFinite(x) && (i === 0 || (x as number) > (list[i - 1] as number)));
  return (
    ascending(logits) &&
    ascending(scores) &&
    logits.length === scores.length &&
    scores.every((score) => score > 0 && score < 1)
  );
}

/** The score that `calibration` gives to `logit`, strictly between 0 and 1 but for rounding. */
export function scoreOfLogit(logit: number, { logits, scores }: Calibration): number {
  const last = logits.length - 1;
  let above = 0;
  while (above <= last && (logits[above] as number) < logit) above += 1;
  let odds: number;
  if (above === 0) odds = logOdds(scores[0] as number) + logit - (logits[0] as number);
  else if (above > last) odds = logOdds(scores[last] as number) + logit - (logits[last] as number);
  else {
    const [from, to] = [logits[above - 1] as number, logits[above] as number];
    const [low, high] = [logOdds(scores[above - 1] as number), logOdds(scores[above] as number)];
    odds = low + ((high - low) * (logit - from)) / (to - from);
  }
  return 1 / (1 + Math.exp(-odds));
}
