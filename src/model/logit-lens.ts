import * as tf from "@tensorflow/tfjs-core";
import type { ForwardOptions, GPT2 } from "./gpt2";

export interface LogitLensOptions extends ForwardOptions {
  /**
   * `as-published`: each residual stream, centred, is divided by the layer-norm scale of the *final* residual stream and
   * unembedded without ln_f's bias (paper.md A9, figure 1). `own-layer-norm`: each goes through ln_f with its own
   * statistics, as if the model ended there.
   */
  normalisation?: "as-published" | "own-layer-norm";
}

/** The probability of one token as the residual stream passes through the blocks. */
export interface LogitLens {
  /** `0_pre`, `0_mid`, `1_pre`, …, `final_post`. */
  rows: string[];
  /** `[row][sequence]`, at each sequence's last position. */
  probabilities: number[][];
}

/** The logit lens (nostalgebraist 2020; figure 1): the residual stream of every layer read as a next-token distribution. */
export async function logitLens(
  model: GPT2,
  ids: readonly (readonly number[])[],
  token: number,
  { normalisation = "as-published", ...options }: LogitLensOptions = {},
): Promise<LogitLens> {
  const { config } = model;
  const rows: string[] = [];
  const names: string[] = [];
  for (let layer = 0; layer < config.nLayer; layer++) {
    rows.push(`${layer}_pre`, `${layer}_mid`);
    names.push(`blocks.${layer}.hook_resid_pre`, `blocks.${layer}.hook_resid_mid`);
  }
  rows.push("final_post");
  names.push(`blocks.${config.nLayer - 1}.hook_resid_post`);

  const { logits, cache } = model.runWithCache(ids, { ...options, names });
  const probabilities = tf.tidy(() => {
    const last = names.map((name) => {
      const residual = cache.get(name) as tf.Tensor3D;
      return tf.squeeze<tf.Tensor2D>(tf.slice(residual, [0, residual.shape[1] - 1, 0], [-1, 1, -1]), [1]);
    });
    const finalScale = centre(last[last.length - 1] as tf.Tensor2D).scale;
    const weight = model.weight("ln_f.weight");
    const bias = normalisation === "own-layer-norm" ? model.weight("ln_f.bias") : tf.zerosLike(weight);
    return last.map((residual) => {
      const { centred, scale } = centre(residual);
      const normalised = tf.div(centred, normalisation === "own-layer-norm" ? scale : finalScale);
      const logits = tf.matMul(tf.add(tf.mul(normalised, weight), bias), model.unembedding, false, true);
      return tf.reshape(tf.slice(tf.softmax(logits), [0, token], [-1, 1]), [-1]);
    });
  });
  const values = await Promise.all(probabilities.map(async (row) => Array.from(await row.data())));
  tf.dispose([logits, ...cache.values(), ...probabilities]);
  return { rows, probabilities: values };

  function centre(x: tf.Tensor2D): { centred: tf.Tensor; scale: tf.Tensor } {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), config.layerNormEpsilon));
    return { centred, scale };
  }
}
