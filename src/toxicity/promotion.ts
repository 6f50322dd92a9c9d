import { pearson, type Vector } from "@alignscope/tensors/vectors";
import { largest } from "./vocabulary.js";

/** What adding m v to the residual stream does to the next token's logits, foretold and measured. */
export interface Promotion {
  /** The tokens with the highest prediction, highest first. */
  promoted: number[];
  /** The change of each token's logit, averaged over texts, [vocabSize]. */
  measured: Float64Array;
  /** Pearson's correlation of prediction and measurement over the vocabulary. */
  correlation: number;
  /** Mean change of log-probability of the promoted tokens, nats. */
  promotedChange: number;
  /** Factor by which their summed probability grows, averaged over texts (geometric mean). */
  probabilityRatio: number;
}

/**
 * Holds the projection argument of appendix A against the running model. Leaving layer norm aside, adding m v to the
 * residual stream x multiplies p(w | x) by a factor proportional to exp(m e_w · v): E v says which tokens v promotes.
 *
 * @param predicted m e_w · v for every token w, [vocabSize]
 * @param before logits of the next token, [vocabSize] for each text
 * @param after the same with m v added
 * @param options how many
 * @param options.count tokens that count as promoted
 */
export function promotionOf(
  predicted: Vector,
  before: readonly Vector[],
  after: readonly Vector[],
  { count = 10 }: { count?: number } = {},
): Promotion {
  const promoted = largest(predicted, count);
  const measured = new Float64Array(predicted.length);
  let promotedChange = 0;
  let logRatio = 0;
  for (const [text, own] of before.entries()) {
    const changed = after[text] as Vector;
    const change = (w: number): number => (changed[w] as number) - (own[w] as number);
    for (let w = 0; w < measured.length; w += 1)
      measured[w] = (measured[w] as number) + change(w) / before.length;
    const shift = logSumExp(changed) - logSumExp(own);
    for (const w of promoted) promotedChange += (change(w) - shift) / (promoted.length * before.length);
    const pick = (logits: Vector): number => logSumExp(promoted.map((w) => logits[w] as number));
    logRatio += (pick(changed) - pick(own) - shift) / before.length;
  }
  return {
    ...{ promoted, measured, promotedChange },
    correlation: pearson(predicted, measured),
    probabilityRatio: Math.exp(logRatio),
  };
}

function logSumExp(values: Vector): number {
  let top = -Infinity;
  for (let i = 0; i < values.length; i += 1) top = Math.max(top, values[i] as number);
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += Math.exp((values[i] as number) - top);
  return top + Math.log(sum);
}
