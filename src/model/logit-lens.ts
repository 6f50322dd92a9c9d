import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "./gpt2.js";
import type { ForwardOptions } from "./pass-options.js";
import { accumulatedResidual, checkToken, residualRows, type Normalisation } from "./residual.js";

export interface LogitLensOptions extends ForwardOptions {
  /** `as-published` unless said otherwise; with a frozen scale no bias is added, of ln_f or of the unembedding. */
  normalisation?: Normalisation;
}

/** The probability of one token as the residual stream passes through the blocks. */
export interface LogitLens {
  /** `0_pre`, `0_mid`, `1_pre`, …, `final_post`. */
  rows: string[];
  /** `[row][sequence]`, at each sequence's last position. */
  probabilities: number[][];
}

/**
 * The logit lens (nostalgebraist 2020; figure 1): the residual stream of every layer read as a next-token distribution.
 *
 * @param ids token ids, one array per sequence
 * @param token whose probability is read
 */
export async function logitLens(
  model: GPT2,
  ids: readonly (readonly number[])[],
  token: number,
  { normalisation = "as-published", ...options }: LogitLensOptions = {},
): Promise<LogitLens> {
  checkToken(token, model.config);
  const names = residualRows(model.config).map(({ name }) => name);
  const { residual, cache } = model.runWithCache(ids, {
    ...options,
    names,
    positions: -1,
    stopAtLayer: model.config.nLayer,
  });
  residual.dispose();
  const { labels, stack } = accumulatedResidual(model, cache, { normalisation });
  cache.dispose();
  // Row by row: one row's logits are there at a time.
  const probabilities = tf.tidy(() =>
    tf.unstack(stack).map((row) => {
      const rows: tf.Tensor2D = tf.reshape(row, [-1, model.config.dModel]);
      return tf.tidy(() => {
        const logits = model.unembed(rows, { bias: normalisation === "own-layer-norm" });
        return tf.reshape(tf.slice(tf.softmax(logits), [0, token], [-1, 1]), [-1]);
      });
    }),
  );
  const values = await Promise.all(probabilities.map(async (row) => Array.from(await row.data())));
  tf.dispose([stack, ...probabilities]);
  return { rows: labels, probabilities: values };
}
