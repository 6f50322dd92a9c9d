import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../model";
import { layerNorm } from "../tensors/ops";

/** E, the unembedding, [vocabSize, dModel]: the token embeddings themselves unless the model has its own. */
export function unembedding(model: GPT2): tf.Tensor2D {
  const own = model.parameterNames.includes("lm_head.weight");
  return model.weight(own ? "lm_head.weight" : "wte.weight") as tf.Tensor2D;
}

/**
 * What the model makes of the residual stream after its last block: the last layer norm, then E.
 *
 * @param residual [batch, position, dModel]
 * @returns logits [batch, position, vocabSize]
 */
export function unembed(model: GPT2, residual: tf.Tensor3D): tf.Tensor3D {
  const { dModel, layerNormEpsilon, vocabSize } = model.config;
  return tf.tidy(() => {
    const rows: tf.Tensor2D = tf.reshape(residual, [-1, dModel]);
    const normalised = layerNorm(
      rows,
      model.weight("ln_f.weight") as tf.Tensor1D,
      model.weight("ln_f.bias") as tf.Tensor1D,
      layerNormEpsilon,
    );
    const logits = tf.matMul(normalised, unembedding(model), false, true);
    return tf.reshape(logits, [residual.shape[0], residual.shape[1], vocabSize]);
  });
}
