import { UserError } from "@alignscope/base/errors";
import { mulberry32 } from "@alignscope/base/random";
import { mean, quantile } from "@alignscope/tensors/vectors";

/** A mean with the interval that a bootstrap over its examples gives. */
export interface MeanWithInterval {
  mean: number;
  low: number;
  high: number;
  examples: number;
}

/**
 * Percentile bootstrap of a mean: examples are drawn again with replacement `resamples` times.
 *
 * @param values one number per example, at least one; of a single one the interval is the value
 * @param options how the mean is resampled
 * @param options.level share of resampled means inside the interval
 * @throws UserError for no values: there is nothing whose mean it could be
 */
export function bootstrapMean(
  values: ArrayLike<number>,
  { resamples = 1000, level = 0.95, seed = 0 }: { resamples?: number; level?: number; seed?: number } = {},
): MeanWithInterval {
  const examples = values.length;
  if (examples === 0) {
    throw new UserError(
      "a mean with its interval got no values: expected at least one; ask for more prompts, passages or pairs",
    );
  }
  if (!(Number.isInteger(resamples) && resamples > 0) || !(level >= 0 && level <= 1)) {
    throw new RangeError(
      `bootstrapMean: got ${resamples} resamples at a level of ${level}, expected at least 1 and a level from 0 to 1`,
    );
  }
  const random = mulberry32(seed);
  const means = Float64Array.from({ length: resamples }, () => {
    let sum = 0;
    for (let draw = 0; draw < examples; draw += 1) sum += values[Math.floor(random() * examples)] as number;
    return sum / examples;
  }).sort();
  return {
    mean: mean(values),
    low: quantile(means, (1 - level) / 2),
    high: quantile(means, (1 + level) / 2),
    examples,
  };
}
