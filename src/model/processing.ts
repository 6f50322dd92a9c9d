import * as tf from "@tensorflow/tfjs-core";
import type { GPT2Config } from "./config.js";
import { unembeddingOf } from "./forward.js";
import type { Parameters } from "./parameters.js";

/**
 * Which weights a model holds: `"none"`, those of its file (that of the paper's tables); `"folded"`, what
 * TransformerLens 1.12 makes of them by default (that of its figures, docs/recipes.md#two-numeric-worlds): layer norms folded
 * into what reads them, writing weights and unembedding centred, value biases folded. Log-probabilities are the same in both, those
 * at masked pads apart: a pad attends to nothing, so that no value bias reaches it, and the folded one does.
 */
export type Processing = "none" | "folded";

/**
 * The parameters of the same function on processed weights; names stay Hugging Face's. Folded, layer norms keep weight 1
 * and bias 0, `lm_head.weight` `[vocab, dModel]` is W_Uᵀ, `lm_head.bias` `[vocab]` is b_U, columns of `c_fc.weight` are
 * those of W_in and rows of `c_proj.weight` those of W_out.
 *
 * @param options.takeOver dispose of each given tensor as soon as it is replaced, so that the weights are not held twice
 * @returns new tensors, kept
 */
export function processWeights(
  parameters: Parameters,
  config: GPT2Config,
  processing: Processing,
  { takeOver = false } = {},
): Parameters {
  const processed: Parameters = new Map();
  const get = <T extends tf.Tensor>(name: string): T => parameters.get(name) as T;
  const put = (made: Record<string, tf.Tensor>): void => {
    for (const [name, tensor] of Object.entries(made)) {
      processed.set(name, tf.keep(tensor));
      if (takeOver) parameters.get(name)?.dispose();
    }
  };
  if (processing === "none") {
    for (const name of parameters.keys()) put({ [name]: tf.clone(get(name)) });
    return processed;
  }

  const head = unembeddingOf(parameters);
  put(tf.tidy(() => foldedUnembedding(head, get("ln_f.weight"), get("ln_f.bias"))));
  put(
    tf.tidy(() => ({ "wte.weight": centred(get("wte.weight")), "wpe.weight": centred(get("wpe.weight")) })),
  );
  for (let layer = 0; layer < config.nLayer; layer++) {
    const block = `h.${layer}`;
    for (const [reader, norm] of [
      ["attn.c_attn", "ln_1"],
      ["mlp.c_fc", "ln_2"],
    ]) {
      put(
        tf.tidy(() =>
          foldedReader(`${block}.${reader}`, {
            weight: get(`${block}.${reader}.weight`),
            bias: get(`${block}.${reader}.bias`),
            normWeight: get(`${block}.${norm}.weight`),
            normBias: get(`${block}.${norm}.bias`),
          }),
        ),
      );
      put(tf.tidy(() => identityNorm(`${block}.${norm}`, config.dModel)));
    }
    for (const writer of ["attn.c_proj", "mlp.c_proj"]) {
      const name = `${block}.${writer}`;
      put(
        tf.tidy(() => ({
          [`${name}.weight`]: centred(get(`${name}.weight`)),
          [`${name}.bias`]: centred(get(`${name}.bias`)),
        })),
      );
    }
    foldValueBiases(processed, block);
  }
  put(tf.tidy(() => identityNorm("ln_f", config.dModel)));
  return processed;
}

/** Less the mean over the last axis: what is written to the residual stream, whose mean no layer norm sees. */
function centred<T extends tf.Tensor>(x: T): T {
  return tf.sub(x, tf.mean(x, -1, true));
}

function identityNorm(name: string, width: number): Record<string, tf.Tensor> {
  return { [`${name}.weight`]: tf.ones([width]), [`${name}.bias`]: tf.zeros([width]) };
}

interface Reader {
  /** `[dModel, out]` */
  weight: tf.Tensor2D;
  bias: tf.Tensor1D;
  normWeight: tf.Tensor1D;
  normBias: tf.Tensor1D;
}

/** Layer norm folded into what reads it; then centred over dModel, since what is read has mean zero. */
function foldedReader(
  name: string,
  { weight, bias, normWeight, normBias }: Reader,
): Record<string, tf.Tensor> {
  const width = normWeight.size;
  const scaled = tf.mul(weight, tf.reshape(normWeight, [width, 1]));
  const added = tf.reshape(tf.matMul(tf.reshape(normBias, [1, width]), weight), bias.shape);
  return {
    [`${name}.weight`]: tf.sub(scaled, tf.mean(scaled, 0, true)),
    [`${name}.bias`]: tf.add(bias, added),
  };
}

/** The last layer norm folded into the unembedding, which is centred over dModel and over the vocabulary. */
function foldedUnembedding(
  head: { weight: tf.Tensor2D; bias?: tf.Tensor1D },
  normWeight: tf.Tensor1D,
  normBias: tf.Tensor1D,
): Record<string, tf.Tensor> {
  const { weight } = head; // [vocab, dModel]
  const added = tf.reshape(tf.matMul(weight, tf.reshape(normBias, [-1, 1])), [-1]);
  const bias = head.bias ? tf.add(head.bias, added) : added;
  const scaled = centred(tf.mul(weight, normWeight));
  return {
    "lm_head.weight": tf.sub(scaled, tf.mean(scaled, 0, true)),
    "lm_head.bias": tf.sub(bias, tf.mean(bias)),
  };
}

/** Attention patterns sum to one, so a value bias b_V is as good as b_V·W_O in the output bias. */
function foldValueBiases(processed: Parameters, block: string): void {
  const inName = `${block}.attn.c_attn.bias`;
  const outName = `${block}.attn.c_proj.bias`;
  const [before, outBias] = [processed.get(inName), processed.get(outName)] as [tf.Tensor1D, tf.Tensor1D];
  const folded = tf.tidy(() => {
    const width = outBias.size;
    const values = tf.slice(before, [2 * width], [width]);
    const outWeight = processed.get(`${block}.attn.c_proj.weight`) as tf.Tensor2D;
    const added = tf.reshape(tf.matMul(tf.reshape(values, [1, width]), outWeight), [width]);
    return {
      [inName]: tf.concat([tf.slice(before, [0], [2 * width]), tf.zeros([width])]),
      [outName]: tf.add(outBias, added),
    };
  });
  for (const [name, tensor] of Object.entries(folded)) processed.set(name, tf.keep(tensor));
  tf.dispose([before, outBias]);
}
