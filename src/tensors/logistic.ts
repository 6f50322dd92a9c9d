import { minimise } from "./lbfgs.js";

/** A dense float64 matrix, row after row: row `i` is `values.subarray(i * columns, (i + 1) * columns)`. */
export interface Matrix {
  rows: number;
  columns: number;
  values: Float64Array;
}

/** Rows of equal length as a matrix. */
export function matrixOf(rows: readonly ArrayLike<number>[]): Matrix {
  const columns = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => values.set(row, i * columns));
  return { rows: rows.length, columns, values };
}

/** The rows of `matrix` named by `indices`, in that order. */
export function selectRows(matrix: Matrix, indices: readonly number[]): Matrix {
  const { columns } = matrix;
  const values = new Float64Array(indices.length * columns);
  indices.forEach((row, i) =>
    values.set(matrix.values.subarray(row * columns, (row + 1) * columns), i * columns),
  );
  return { rows: indices.length, columns, values };
}

/** log-odds(x) = weights · x + bias, in the basis of the features as they were given. */
export interface LogisticModel {
  weights: Float64Array;
  bias: number;
  iterations: number;
  converged: boolean;
  /** The solution in standardised coordinates, bias last: where a fit of the same rows with another penalty may start. */
  point: Float64Array;
}

export interface LogisticOptions {
  /** Ridge penalty λ of mean log loss + λ/2 · |w|². */
  l2?: number;
  maxIterations?: number;
  /** An earlier fit of the same rows: saves iterations, changes nothing else. */
  start?: Pick<LogisticModel, "point">;
}

/**
 * Two-class logistic regression: minimises mean log loss + l2/2 · |w|², where w acts on standardised features (each
 * column at mean 0 and standard deviation 1, so that one penalty suits all columns). The result is expressed back in
 * the features' own basis: w_j / σ_j, with the means folded into the bias.
 *
 * @param features [examples, columns]
 * @param labels 1 for the positive class, 0 for the other
 */
export function fitLogistic(
  features: Matrix,
  labels: ArrayLike<number>,
  { l2 = 1e-3, maxIterations = 500, start }: LogisticOptions = {},
): LogisticModel {
  const { rows, columns } = features;
  if (rows !== labels.length || rows === 0) {
    throw new RangeError(
      `fitLogistic: got ${rows} rows for ${labels.length} labels, expected as many of each, and some`,
    );
  }
  const { means, deviations, values } = standardise(features);

  // point = [w_0 … w_{columns-1}, bias]; the bias is not penalised.
  const fit = minimise(
    (point, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (let row = 0; row < rows; row += 1) {
        const offset = row * columns;
        let logit = point[columns] as number;
        for (let j = 0; j < columns; j += 1) logit += (point[j] as number) * (values[offset + j] as number);
        const sign = labels[row] === 1 ? 1 : -1;
        loss += softplus(-sign * logit);
        const pull = (-sign * sigmoid(-sign * logit)) / rows;
        for (let j = 0; j < columns; j += 1) {
          gradient[j] = (gradient[j] as number) + pull * (values[offset + j] as number);
        }
        gradient[columns] = (gradient[columns] as number) + pull;
      }
      let penalty = 0;
      for (let j = 0; j < columns; j += 1) {
        const weight = point[j] as number;
        penalty += weight * weight;
        gradient[j] = (gradient[j] as number) + l2 * weight;
      }
      return loss / rows + (l2 / 2) * penalty;
    },
    start?.point ?? new Float64Array(columns + 1),
    { maxIterations, tolerance: 1e-6 },
  );

  const weights = new Float64Array(columns);
  let bias = fit.point[columns] as number;
  for (let j = 0; j < columns; j += 1) {
    const weight = (fit.point[j] as number) / (deviations[j] as number);
    weights[j] = weight;
    bias -= weight * (means[j] as number);
  }
  return { weights, bias, iterations: fit.iterations, converged: fit.converged, point: fit.point };
}

/** Probability of the positive class for every row. */
export function predictLogistic(
  model: Pick<LogisticModel, "weights" | "bias">,
  features: Matrix,
): Float64Array {
  const result = new Float64Array(features.rows);
  for (let row = 0; row < features.rows; row += 1) {
    let logit = model.bias;
    for (let j = 0; j < features.columns; j += 1) {
      logit += (model.weights[j] as number) * (features.values[row * features.columns + j] as number);
    }
    result[row] = sigmoid(logit);
  }
  return result;
}

function standardise({ rows, columns, values }: Matrix): {
  means: Float64Array;
  deviations: Float64Array;
  values: Float64Array;
} {
  const means = new Float64Array(columns);
  const deviations = new Float64Array(columns);
  for (let i = 0; i < values.length; i += 1) {
    means[i % columns] = (means[i % columns] as number) + (values[i] as number) / rows;
  }
  for (let i = 0; i < values.length; i += 1) {
    const centred = (values[i] as number) - (means[i % columns] as number);
    deviations[i % columns] = (deviations[i % columns] as number) + (centred * centred) / rows;
  }
  for (let j = 0; j < columns; j += 1) {
    // A column that never varies carries nothing; dividing by 1 keeps it at zero.
    deviations[j] = Math.sqrt(deviations[j] as number) || 1;
  }
  return {
    means,
    deviations,
    values: values.map((x, i) => (x - (means[i % columns] as number)) / (deviations[i % columns] as number)),
  };
}

function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : 1 - 1 / (1 + Math.exp(x));
}

/** log(1 + eˣ), also for large x. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
