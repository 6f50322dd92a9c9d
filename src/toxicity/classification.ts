import { auroc } from "@alignscope/tensors/vectors";

/** How well scores separate two classes, and what guessing the larger class every time would have given. */
export interface ClassificationReport {
  examples: number;
  positives: number;
  /** Share of examples on the right side of `threshold`. */
  accuracy: number;
  /** Accuracy of always answering the more frequent class. */
  majorityBaseline: number;
  /** Probability that a random positive scores above a random negative; ties count half. NaN with one class only. */
  auroc: number;
  /** F1 of the positive class at `threshold`. */
  f1: number;
}

/**
 * Accuracy, AUROC and F1 of `scores` against `labels` (1 positive, 0 negative); an example counts as positive when its
 * score is above `threshold`.
 */
export function classificationReport(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  threshold = 0.5,
): ClassificationReport {
  if (scores.length !== labels.length) {
    throw new RangeError(
      `classificationReport: got ${scores.length} scores for ${labels.length} labels, expected as many of each`,
    );
  }
  let correct = 0;
  let positives = 0;
  let truePositives = 0;
  let predictedPositives = 0;
  for (let i = 0; i < labels.length; i += 1) {
    const positive = labels[i] === 1;
    const predicted = (scores[i] as number) > threshold;
    if (positive) positives += 1;
    if (predicted) predictedPositives += 1;
    if (positive && predicted) truePositives += 1;
    if (positive === predicted) correct += 1;
  }
  const examples = labels.length;
  return {
    examples,
    positives,
    accuracy: correct / examples,
    majorityBaseline: Math.max(positives, examples - positives) / examples,
    auroc: auroc(scores, labels),
    f1: positives + predictedPositives === 0 ? 0 : (2 * truePositives) / (positives + predictedPositives),
  };
}
