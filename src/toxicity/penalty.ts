import {
  fitLogistic,
  predictLogistic,
  selectRows,
  type LogisticModel,
  type Matrix,
} from "@alignscope/tensors/logistic";
import { mulberry32, shuffled } from "@alignscope/base/random";
import { auroc, cosine, mean } from "@alignscope/tensors/vectors";

/** What one ridge penalty gives. */
export interface PenaltyResult {
  penalty: number;
  /** AUROC on held-out folds, and its standard error over the folds. */
  auroc: number;
  standardError: number;
  /** Cosine of the fitted direction with the difference of the class means, averaged over the folds. */
  cosineToMeanDifference: number;
}

const FOLDS = 5;

/**
 * Cross-validates ridge penalties and chooses the strongest whose AUROC is within `tolerance` of the best.
 *
 * Many directions tell the classes apart about equally well. A weak penalty is free to lean on coordinates in which the
 * stream hardly varies: good to read from, useless to write to. A strong one keeps to the coordinates in which the class
 * means lie apart, where an intervention can act; `tolerance` is what that may cost. (Haufe et al. 2014 tell such filters
 * from patterns.)
 *
 * @param features [examples, dModel]
 * @param labels 1 or 0
 */
export function sweepPenalties(
  features: Matrix,
  labels: readonly number[],
  {
    penalties = [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    tolerance = 0.025,
    seed = 0,
  }: { penalties?: readonly number[]; tolerance?: number; seed?: number } = {},
): { penalty: number; sweep: PenaltyResult[] } {
  // From strong to weak each fit starts where the one before ended, which saves most of its iterations.
  const strongestFirst = [...penalties].sort((a, b) => b - a);
  const areas = strongestFirst.map((): number[] => []);
  const cosines = strongestFirst.map((): number[] => []);
  for (const held of foldsOf(labels, seed)) {
    const inside = new Set(held);
    const others = labels.map((_, i) => i).filter((i) => !inside.has(i));
    const pick = (indices: readonly number[]) => indices.map((i) => labels[i] as number);
    const fitting = selectRows(features, others);
    const judging = selectRows(features, held);
    const difference = classMeanDifference(fitting, pick(others));
    let fit: LogisticModel | undefined;
    for (const [k, l2] of strongestFirst.entries()) {
      fit = fitLogistic(fitting, pick(others), fit ? { l2, start: fit } : { l2 });
      areas[k]?.push(auroc(predictLogistic(fit, judging), pick(held)));
      cosines[k]?.push(cosine(fit.weights, difference));
    }
  }
  const sweep = strongestFirst.map((penalty, k): PenaltyResult => {
    const own = areas[k] as number[];
    const variance = mean(own.map((area) => (area - mean(own)) ** 2)) / (FOLDS - 1);
    return {
      penalty,
      auroc: mean(own),
      standardError: Math.sqrt(variance),
      cosineToMeanDifference: mean(cosines[k] as number[]),
    };
  });
  const best = Math.max(...sweep.map((result) => result.auroc));
  const chosen = sweep.find((result) => result.auroc >= best - tolerance) as PenaltyResult;
  return { penalty: chosen.penalty, sweep };
}

/** Mean of the rows labelled 1 less the mean of those labelled 0, [columns]. */
export function classMeanDifference(features: Matrix, labels: readonly number[]): Float64Array {
  const { columns, values } = features;
  const positives = labels.filter((label) => label === 1).length;
  const result = new Float64Array(columns);
  labels.forEach((label, row) => {
    const weight = label === 1 ? 1 / positives : -1 / (labels.length - positives);
    for (let j = 0; j < columns; j += 1) {
      result[j] = (result[j] as number) + weight * (values[row * columns + j] as number);
    }
  });
  return result;
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
