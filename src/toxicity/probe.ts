import { UserError } from "@alignscope/base/errors";
import { classificationReport, type ClassificationReport } from "./classification.js";
import { fitLogistic, matrixOf, predictLogistic, selectRows } from "@alignscope/tensors/logistic";
import { classMeanDifference, sweepPenalties, type PenaltyResult } from "./penalty.js";
import { stratifiedSplit } from "./split.js";
import { norm, type Vector } from "@alignscope/tensors/vectors";

/**
 * Which last-layer vector was averaged: the residual stream after the last block (`"pre-ln_f"`), the basis in which value
 * vectors live and interventions act, or what the unembedding sees (`"post-ln_f"`, as a public re-implementation did).
 */
export type ProbeStream = "pre-ln_f" | "post-ln_f";

/** A text and whether people called it toxic (1) or not (0). */
export interface LabelledText {
  text: string;
  toxic: 0 | 1;
}

export interface ProbeOptions {
  /** Share of the examples held out for the report (paper: 10%). */
  validationShare?: number;
  seed?: number;
  /** Ridge penalties to choose from. */
  penalties?: readonly number[];
  /** AUROC that may be given up for a stronger penalty, see {@link sweepPenalties}. */
  tolerance?: number;
  /** What the features are means of; kept with the probe, for what reads along it. */
  stream?: ProbeStream;
}

/**
 * The toxicity probe of section 3.1. `direction` is W_toxic: the difference between the toxic and the non-toxic row of
 * the two-class softmax, which is the only part of the two rows that a prediction depends on, in the basis of the
 * residual stream and not normalised.
 */
export interface Probe {
  /** W_toxic, [dModel]. */
  direction: number[];
  bias: number;
  norm: number;
  stream: ProbeStream;
  /** The ridge penalty that was chosen, and what each would have given. */
  penalty: number;
  sweep: PenaltyResult[];
  /** Mean of the toxic training examples less that of the others, [dModel]: the direction that no classifier chose. */
  meanDifference: number[];
  seed: number;
  train: ClassificationReport;
  validation: ClassificationReport;
  /** Log-odds of toxicity that the probe gives to each held-out comment, and the comment's label. */
  heldOut: { toxic: number; logOdds: number }[];
}

/**
 * P(toxic | x̄) = softmax(W x̄), fitted as a logistic regression on 90% of the examples and reported on the other 10%.
 *
 * @param means x̄ of each example, [dModel]: the last layer's residual stream averaged over its positions
 * @throws UserError where one of the two classes has no example
 * @example const probe = fitProbe(means, labelled.map(({ toxic }) => toxic), { seed: 42 });
 */
export function fitProbe(
  means: readonly Vector[],
  labels: readonly number[],
  { validationShare = 0.1, seed = 0, penalties, tolerance, stream = "pre-ln_f" }: ProbeOptions = {},
): Probe {
  const positives = labels.filter((label) => label === 1).length;
  if (positives === 0 || positives === labels.length) {
    throw new UserError(
      `the probe got ${positives} toxic comments of ${labels.length}: expected some of either class; check the labels`,
    );
  }
  const features = matrixOf(means);
  const split = stratifiedSplit(labels, validationShare, seed);
  const pick = (indices: readonly number[]) => indices.map((i) => labels[i] as number);
  const trainFeatures = selectRows(features, split.train);
  const trainLabels = pick(split.train);
  const { penalty, sweep } = sweepPenalties(trainFeatures, trainLabels, { penalties, tolerance, seed });
  const fit = fitLogistic(trainFeatures, trainLabels, { l2: penalty });
  const probabilities = (indices: readonly number[]) => predictLogistic(fit, selectRows(features, indices));
  const heldOut = probabilities(split.validation);
  return {
    direction: Array.from(fit.weights),
    bias: fit.bias,
    norm: norm(fit.weights),
    stream,
    penalty,
    sweep,
    meanDifference: Array.from(classMeanDifference(trainFeatures, trainLabels)),
    seed,
    train: classificationReport(probabilities(split.train), trainLabels),
    validation: classificationReport(heldOut, pick(split.validation)),
    heldOut: pick(split.validation).map((toxic, i) => {
      const p = heldOut[i] as number;
      return { toxic, logOdds: Math.log(p) - Math.log1p(-p) };
    }),
  };
}
