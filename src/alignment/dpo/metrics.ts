/** What a policy makes of one pair, with what the reference makes of it; log-probabilities in nats. */
export interface PairScore {
  policy: readonly [chosen: number, rejected: number];
  reference: readonly [chosen: number, rejected: number];
  /** KL(reference ‖ policy) per position; see {@link DpoMetrics}. */
  kl: readonly [chosen: number, rejected: number];
}

/** Means over pairs, under the names that users of TRL and of its forerunners know. */
export interface DpoMetrics {
  /** −log σ(margin), plus γ times both KLs where the loss has such a term. */
  loss: number;
  /** β(log π − log π_ref) of a side. */
  "rewards/chosen": number;
  "rewards/rejected": number;
  /** Share of pairs whose chosen side has the higher reward. */
  "rewards/accuracies": number;
  /** Reward of the chosen side less that of the rejected one. */
  "rewards/margins": number;
  "logps/chosen": number;
  "logps/rejected": number;
  /**
   * KL(reference ‖ policy), in nats per position of a side: where `kl_kind` is "exact" summed over the vocabulary; where
   * it is "sampled", log π_ref − log π of the side's own tokens, as if the reference had drawn them, which can be negative.
   */
  "kl/chosen": number;
  "kl/rejected": number;
}

/** Means of scores, in float64. */
export function metricsOf(
  scores: readonly PairScore[],
  { beta, klGamma }: { beta: number; klGamma: number },
): DpoMetrics {
  const mean = (of: (score: PairScore) => number): number =>
    scores.reduce((sum, score) => sum + of(score), 0) / scores.length;
  const reward = ({ policy, reference }: PairScore, side: 0 | 1): number =>
    beta * (policy[side] - reference[side]);
  const margin = (score: PairScore): number => reward(score, 0) - reward(score, 1);
  return {
    loss: mean((score) => softplus(-margin(score)) + klGamma * (score.kl[0] + score.kl[1])),
    "rewards/chosen": mean((score) => reward(score, 0)),
    "rewards/rejected": mean((score) => reward(score, 1)),
    "rewards/accuracies": mean((score) => Number(margin(score) > 0)),
    "rewards/margins": mean(margin),
    "logps/chosen": mean(({ policy }) => policy[0]),
    "logps/rejected": mean(({ policy }) => policy[1]),
    "kl/chosen": mean(({ kl }) => kl[0]),
    "kl/rejected": mean(({ kl }) => kl[1]),
  };
}

/** log(1 + eˣ), also for large x. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
