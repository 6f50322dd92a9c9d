import { UserError } from "@alignscope/base/errors";
import type { GPT2, Tokenizer } from "../model/index.js";
import { classificationReport, type ClassificationReport } from "./classification.js";
import { meanResiduals, type FeatureOptions, type ProbeStream } from "./features.js";
import { fitLogistic, predictLogistic, selectRows, type Matrix } from "./logistic.js";
import { classMeanDifference, sweepPenalties, type PenaltyResult } from "./penalty.js";
import { stratifiedSplit } from "./split.js";
import { norm } from "./vectors.js";

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

/** Reads the texts' features and fits the probe on them: {@link meanResiduals}, then {@link fitProbe}. */
export async function trainProbe(
  model: GPT2,
  tokenizer: Tokenizer,
  examples: readonly LabelledText[],
  {
    validationShare,
    seed,
    penalties,
    tolerance,
    stream = "pre-ln_f",
    ...reading
  }: ProbeOptions & FeatureOptions = {},
): Promise<Probe> {
  const sequences = examples.map((example) => tokenizer.encode(example.text));
  const features = await meanResiduals(model, sequences, { stream, ...reading });
  const labels = examples.map((example) => example.toxic);
  return fitProbe(features, labels, { validationShare, seed, penalties, tolerance, stream });
}

/**
 * P(toxic | x̄) = softmax(W x̄), fitted as a logistic regression on 90% of the examples and reported on the other 10%.
 *
 * @param features [examples, dModel], from {@link meanResiduals}
 */
export function fitProbe(
  features: Matrix,
  labels: readonly number[],
  {
    validationShare = 0.1,
    seed = 0,
    penalties,
    tolerance,
    stream = "pre-ln_f",
  }: ProbeOptions & { stream?: ProbeStream } = {},
): Probe {
  const positives = labels.filter((label) => label === 1).length;
  if (positives === 0 || positives === labels.length) {
    throw new UserError(
      `the probe got ${positives} toxic comments of ${labels.length}: expected some of either class; check the labels`,
    );
  }
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
