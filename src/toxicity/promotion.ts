import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model/index.js";
import { lastPosition } from "./activations.js";
import { pearson, type Vector } from "./vectors.js";
import { largest, projectToVocabulary } from "./vocabulary.js";

/** What adding m v to the residual stream does to the next token's logits, foretold and measured. */
export interface Promotion {
  /** m e_w · v for every token w, [vocabSize]. */
  predicted: Float64Array;
  /** The change of each token's logit, averaged over texts, [vocabSize]. */
  measured: Float64Array;
  /** Pearson's correlation of the two over the vocabulary. */
  correlation: number;
  /** Mean change of log-probability of the `count` tokens with the highest prediction. */
  promotedChange: number;
  /** Factor by which their summed probability grows, averaged over texts (geometric mean). */
  probabilityRatio: number;
}

/**
 * Tests the projection argument of appendix A on the running model. Leaving layer norm aside, adding m v to the residual
 * stream x multiplies p(w | x) by a factor proportional to exp(m e_w · v): E v says which tokens v promotes. Here m v
 * is added to what the MLP of `layer` writes at the last position, all that follows runs as it is, and the change of the
 * logits is held against m E v.
 *
 * @param sequences token ids, one list per text
 * @param options what is added, and where
 * @param options.vector v, [dModel]
 * @param options.scale m
 */
export async function measurePromotion(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  { layer, vector, scale, count = 10 }: { layer: number; vector: Vector; scale: number; count?: number },
): Promise<Promotion> {
  const { vocabSize, dModel } = model.config;
  const [projection] = await projectToVocabulary(model, [vector]);
  const predicted = Float64Array.from(projection as Float32Array, (score) => score * scale);
  const promoted = largest(predicted, count);

  const batch = sequences.map((ids) => [...ids]);
  const added = Float32Array.from(vector, (value) => value * scale);
  const [before, after] = tf.tidy(() => {
    const plain = lastPosition(model.forward(batch, { padding: "masked" }));
    const pushed = model.forward(batch, {
      padding: "masked",
      hooks: {
        [`blocks.${layer}.hook_mlp_out`]: (activation) => {
          const positions = activation.shape[1] as number;
          const shift = new Float32Array(positions * dModel);
          shift.set(added, (positions - 1) * dModel);
          return tf.add(activation, tf.tensor(shift, [1, positions, dModel]));
        },
      },
    });
    return [plain, lastPosition(pushed)];
  });
  const logitsBefore = await before.data();
  const logitsAfter = await after.data();
  before.dispose();
  after.dispose();

  const measured = new Float64Array(vocabSize);
  let promotedChange = 0;
  let logRatio = 0;
  for (let row = 0; row < batch.length; row += 1) {
    const own = Float64Array.from(logitsBefore.subarray(row * vocabSize, (row + 1) * vocabSize));
    const changed = Float64Array.from(logitsAfter.subarray(row * vocabSize, (row + 1) * vocabSize));
    for (let w = 0; w < vocabSize; w += 1) {
      measured[w] = (measured[w] as number) + ((changed[w] as number) - (own[w] as number)) / batch.length;
    }
    const shift = logSumExp(changed) - logSumExp(own);
    for (const w of promoted) {
      promotedChange +=
        ((changed[w] as number) - (own[w] as number) - shift) / (promoted.length * batch.length);
    }
    const pick = (logits: Float64Array) => logSumExp(promoted.map((w) => logits[w] as number));
    logRatio += (pick(changed) - pick(own) - shift) / batch.length;
  }
  return {
    predicted,
    measured,
    correlation: pearson(predicted, measured),
    promotedChange,
    probabilityRatio: Math.exp(logRatio),
  };
}

function logSumExp(values: ArrayLike<number>): number {
  let top = -Infinity;
  for (let i = 0; i < values.length; i += 1) top = Math.max(top, values[i] as number);
  let sum = 0;
  for (let i = 0; i < values.length; i += 1) sum += Math.exp((values[i] as number) - top);
  return top + Math.log(sum);
}
