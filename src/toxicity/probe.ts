import { UserError } from "../data/errors";
import type { GPT2, Tokenizer } from "../model";
import { auroc, classificationReport, type ClassificationReport } from "./classification";
import { meanResiduals, type FeatureOptions, type ProbeStream } from "./features";
import { fitLogistic, predictLogistic, selectRows, type LogisticModel, type Matrix } from "./logistic";
import { stratifiedSplit } from "./split";
import { mulberry32, shuffled } from "./random";
import { mean, norm } from "./vectors";

/** A text and whether people called it toxic (1) or not (0). */
export interface LabelledText {
  text: string;
  toxic: 0 | 1;
}

export interface ProbeOptions {
  /** Share of the examples held out for the report (paper: 10%). */
  validationShare?: number;
  seed?: number;
  /** Ridge penalties to choose from, by {@link choosePenalty}. */
  penalties?: readonly number[];
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
  /** The ridge penalty that was chosen. */
  penalty: number;
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
  { validationShare, seed, penalties, stream = "pre-ln_f", ...reading }: ProbeOptions & FeatureOptions = {},
): Promise<Probe> {
  const sequences = examples.map((example) => tokenizer.encode(example.text));
  const features = await meanResiduals(model, sequences, { stream, ...reading });
  const labels = examples.map((example) => example.toxic);
  return fitProbe(features, labels, { validationShare, seed, penalties, stream });
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
    penalties = PENALTIES,
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
  const penalty = choosePenalty(trainFeatures, trainLabels, penalties, seed);
  const fit = fitLogistic(trainFeatures, trainLabels, { l2: penalty });
  const probabilities = (indices: readonly number[]) => predictLogistic(fit, selectRows(features, indices));
  const heldOut = probabilities(split.validation);
  return {
    direction: Array.from(fit.weights),
    bias: fit.bias,
    norm: norm(fit.weights),
    stream,
    penalty,
    seed,
    train: classificationReport(probabilities(split.train), trainLabels),
    validation: classificationReport(heldOut, pick(split.validation)),
    heldOut: pick(split.validation).map((toxic, i) => {
      const p = heldOut[i] as number;
      return { toxic, logOdds: Math.log(p) - Math.log1p(-p) };
    }),
  };
}

const PENALTIES = [0.01, 0.03, 0.1, 0.3, 1, 3];
const FOLDS = 5;

/**
 * Chooses a ridge penalty by cross-validated AUROC within the training part (the validation part is looked at once, for
 * the report): the strongest penalty that is not measurably worse than the best one, that is by no more than two standard
 * errors over the folds.
 *
 * Many directions tell the classes apart about equally well. A weak penalty leans on coordinates in which the stream hardly
 * varies; a strong one keeps to those in which the classes really lie apart, which is where an intervention can act.
 */
export function choosePenalty(
  features: Matrix,
  labels: readonly number[],
  penalties: readonly number[],
  seed: number,
): number {
  const strongestFirst = [...penalties].sort((a, b) => b - a);
  if (strongestFirst.length === 1) return strongestFirst[0] as number;
  const folds = foldsOf(labels, seed);
  const areas = strongestFirst.map((): number[] => []);
  for (const held of folds) {
    const inside = new Set(held);
    const others = labels.map((_, i) => i).filter((i) => !inside.has(i));
    const pick = (indices: readonly number[]) => indices.map((i) => labels[i] as number);
    const fitting = selectRows(features, others);
    const judging = selectRows(features, held);
    let fit: LogisticModel | undefined;
    for (const [k, l2] of strongestFirst.entries()) {
      fit = fitLogistic(fitting, pick(others), fit ? { l2, start: fit } : { l2 });
      areas[k]?.push(auroc(predictLogistic(fit, judging), pick(held)));
    }
  }
  const means = areas.map(mean);
  const best = means.indexOf(Math.max(...means));
  const spread = areas[best] as number[];
  const error = Math.sqrt(mean(spread.map((area) => (area - mean(spread)) ** 2)) / (FOLDS - 1));
  const chosen = means.findIndex((area) => area >= (means[best] as number) - 2 * error);
  return strongestFirst[chosen] as number;
}

/** Indices in {@link FOLDS} parts, each with the same share of either label. */
function foldsOf(labels: readonly number[], seed: number): number[][] {
  const folds = Array.from({ length: FOLDS }, (): number[] => []);
  const order = shuffled(
    labels.map((_, i) => i),
    mulberry32(seed + 1),
  );
  order
    .sort((a, b) => (labels[a] as number) - (labels[b] as number))
    .forEach((example, place) => folds[place % FOLDS]?.push(example));
  return folds;
}
