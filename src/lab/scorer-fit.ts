import { minimise } from "@alignscope/tensors/lbfgs";
import { featureCount, featuresOf, type FeatureSettings } from "../scorers/ngrams.js";
import { type ScorerExample, SOURCES } from "./scorer-data.js";

/** How the classifier is fitted; found on a part of the training texts. */
export interface FitSettings {
  /** Penalty λ of ½λ|w|². */
  readonly l2: number;
  /** What is added to a feature's toxic and harmless counts before their ratio is taken. */
  readonly smoothing: number;
  /** Factor on the word table's features: above 1, words are penalised less than characters. */
  readonly wordFactor: number;
  readonly iterations: number;
}

/** The training texts as one sparse matrix, row after row; columns are the features that are learnt. */
interface SparseRows {
  /** Row i is `columns` and `values` from `starts[i]` to `starts[i + 1]`. */
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float32Array;
  /** The feature of each column. */
  readonly features: Int32Array;
}

/** A feature of fewer texts than this is not learnt: it would only remember the text. */
const FEWEST_TEXTS = 2;

/**
 * Logistic regression with soft targets t: Σ weight · cross-entropy(t, sigmoid(w·x + intercept of the source)) + ½λ|w|².
 * Features are scaled by the absolute log-ratio of their naive Bayes counts in toxic and harmless texts (Wang and
 * Manning 2012), so that what says nothing about toxicity stays near zero; the factors are folded into the result.
 *
 * @returns one weight per feature
 */
export function fitWeights(
  examples: readonly ScorerExample[],
  features: FeatureSettings,
  settings: FitSettings,
  onPass?: (pass: number) => void,
): Float64Array {
  const rows = sparseRows(examples, features);
  const factors = naiveBayesFactors(rows, examples, settings.smoothing);
  const firstCharacter = 2 ** features.wordBits;
  rows.features.forEach((feature, column) => {
    if (feature < firstCharacter) factors[column] = (factors[column] as number) * settings.wordFactor;
  });
  rows.columns.forEach((column, k) => {
    rows.values[k] = (rows.values[k] as number) * (factors[column] as number);
  });

  const intercepts = examples.map(({ source }) => rows.features.length + SOURCES.indexOf(source));
  let pass = 0;
  const { point } = minimise(
    (weights, gradient) => {
      onPass?.((pass += 1));
      return objective(rows, examples, intercepts, settings.l2, weights, gradient);
    },
    new Float64Array(rows.features.length + SOURCES.length),
    { memory: 6, maxIterations: settings.iterations, tolerance: 1 },
  );

  const weights = new Float64Array(featureCount(features));
  rows.features.forEach((feature, column) => {
    weights[feature] = (point[column] as number) * (factors[column] as number);
  });
  return weights;
}

function sparseRows(examples: readonly ScorerExample[], settings: FeatureSettings): SparseRows {
  const vectors = examples.map(({ text }) => featuresOf(text, settings));
  const texts = new Int32Array(featureCount(settings));
  for (const { indices } of vectors) for (const index of indices) texts[index] = (texts[index] as number) + 1;
  const columnOf = new Int32Array(texts.length).fill(-1);
  const features: number[] = [];
  let entries = 0;
  texts.forEach((count, feature) => {
    if (count < FEWEST_TEXTS) return;
    columnOf[feature] = features.push(feature) - 1;
    entries += count;
  });

  const starts = new Int32Array(vectors.length + 1);
  const columns = new Int32Array(entries);
  const values = new Float32Array(entries);
  let end = 0;
  vectors.forEach((vector, row) => {
    vector.indices.forEach((index, k) => {
      const column = columnOf[index] as number;
      if (column < 0) return;
      columns[end] = column;
      values[end] = vector.values[k] as number;
      end += 1;
    });
    starts[row + 1] = end;
  });
  return { starts, columns, values, features: Int32Array.from(features) };
}

function naiveBayesFactors(
  { starts, columns, features }: SparseRows,
  examples: readonly ScorerExample[],
  smoothing: number,
): Float64Array {
  const toxic = new Float64Array(features.length).fill(smoothing);
  const harmless = new Float64Array(features.length).fill(smoothing);
  let allToxic = 0;
  let allHarmless = 0;
  examples.forEach(({ target, weight }, row) => {
    const yes = weight * target;
    const no = weight * (1 - target);
    allToxic += yes;
    allHarmless += no;
    for (let k = starts[row] as number; k < (starts[row + 1] as number); k += 1) {
      const column = columns[k] as number;
      toxic[column] = (toxic[column] as number) + yes;
      harmless[column] = (harmless[column] as number) + no;
    }
  });
  const prior = Math.log(allToxic / allHarmless);
  return toxic.map((count, i) => Math.abs(Math.log(count / (harmless[i] as number)) - prior));
}

/** The value of the objective at `weights` (intercepts at the end); writes its gradient into `gradient`. */
function objective(
  { starts, columns, values, features }: SparseRows,
  examples: readonly ScorerExample[],
  intercepts: readonly number[],
  l2: number,
  weights: Float64Array,
  gradient: Float64Array,
): number {
  let value = 0;
  gradient.fill(0);
  for (let i = 0; i < features.length; i += 1) {
    const weight = weights[i] as number;
    value += 0.5 * l2 * weight * weight;
    gradient[i] = l2 * weight;
  }
  for (let row = 0; row < examples.length; row += 1) {
    const { target, weight } = examples[row] as ScorerExample;
    const from = starts[row] as number;
    const to = starts[row + 1] as number;
    const intercept = intercepts[row] as number;
    let logit = weights[intercept] as number;
    for (let k = from; k < to; k += 1)
      logit += (values[k] as number) * (weights[columns[k] as number] as number);
    value += weight * (Math.max(logit, 0) - target * logit + Math.log1p(Math.exp(-Math.abs(logit))));
    const pull = weight * (1 / (1 + Math.exp(-logit)) - target);
    gradient[intercept] = (gradient[intercept] as number) + pull;
    for (let k = from; k < to; k += 1) {
      const column = columns[k] as number;
      gradient[column] = (gradient[column] as number) + pull * (values[k] as number);
    }
  }
  return value;
}
