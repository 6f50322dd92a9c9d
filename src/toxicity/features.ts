import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../model/index.js";
import type { Matrix } from "./logistic.js";
import { readActivations } from "./read-activations.js";

/**
 * Which last-layer vector is read: the residual stream after the last block (`"pre-ln_f"`), the basis in which value
 * vectors live and interventions act, or what the unembedding sees (`"post-ln_f"`, as a public re-implementation did).
 */
export type ProbeStream = "pre-ln_f" | "post-ln_f";

export interface FeatureOptions {
  stream?: ProbeStream;
  /** Texts per forward pass. */
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * x̄ of the probe: the last layer's residual averaged over all positions of each text (paper section 3.1). Pads are left
 * out. Texts longer than the context are cut at its end.
 *
 * @param sequences token ids, one list per text, none of them empty
 * @returns [texts, dModel] in the order given
 */
export async function meanResiduals(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  { stream = "pre-ln_f", batchSize = 32, onProgress }: FeatureOptions = {},
): Promise<Matrix> {
  const { dModel, nPositions } = model.config;
  const values = new Float64Array(sequences.length * dModel);

  const empty = sequences.findIndex((ids) => ids.length === 0);
  if (empty >= 0)
    throw new UserError(`text ${empty} is empty: a probe needs at least one token; remove that row`);

  // Texts of like length share a batch, so that little is spent on pads.
  const order = sequences.map((_, i) => i).sort((i, j) => lengthOf(sequences, i) - lengthOf(sequences, j));
  for (let from = 0; from < order.length; from += batchSize) {
    const members = order.slice(from, from + batchSize);
    const batch = members.map((i) => (sequences[i] as readonly number[]).slice(0, nPositions));
    const means = meansOverRealPositions(model, batch, stream);
    const data = await means.data();
    means.dispose();
    members.forEach((target, row) =>
      values.set(data.subarray(row * dModel, (row + 1) * dModel), target * dModel),
    );
    onProgress?.(Math.min(from + batchSize, order.length), order.length);
  }
  return { rows: sequences.length, columns: dModel, values };
}

function lengthOf(sequences: readonly (readonly number[])[], i: number): number {
  return (sequences[i] as readonly number[]).length;
}

/** [batch, dModel]: the stream summed over real positions and divided by their number. */
function meansOverRealPositions(model: GPT2, batch: number[][], stream: ProbeStream): tf.Tensor2D {
  const last = model.config.nLayer - 1;
  const name = stream === "pre-ln_f" ? `blocks.${last}.hook_resid_post` : "ln_final.hook_normalized";
  return readActivations(model, batch, [name], (activations) => {
    const width = Math.max(...batch.map((ids) => ids.length));
    const weights = batch.map((ids) =>
      Array.from({ length: width }, (_, position) => (position >= width - ids.length ? 1 / ids.length : 0)),
    );
    // [batch, 1, position] · [batch, position, dModel]
    const means = tf.matMul(tf.tensor3d(weights.map((row) => [row])), activations(name));
    const flat: tf.Tensor2D = tf.reshape(means, [batch.length, -1]);
    if (stream === "pre-ln_f") return flat;
    // The hook point lies before the last layer norm's own weight and bias; a mean commutes with both.
    return tf.add<tf.Tensor2D>(tf.mul(flat, model.weight("ln_f.weight")), model.weight("ln_f.bias"));
  });
}
