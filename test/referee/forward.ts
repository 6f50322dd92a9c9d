import type { GPT2Config } from "../../src/model/index.js";
import { attend } from "./attention.js";
import type { Batch } from "./batch.js";
import { affine, centre, gelu, logSoftmax, product, sum, transposed } from "./ops.js";
import type { Weights } from "./weights.js";

/** A tensor: its shape, and its values row by row. */
export interface Activation {
  shape: number[];
  values: Float64Array;
}

/** A forward pass: every activation by TransformerLens' name, and what comes out. */
export interface Pass {
  config: GPT2Config;
  weights: Weights;
  batch: Batch;
  activations: Map<string, Activation>;
  /** `[batch, position, vocab]` */
  logits: Activation;
  /** The logarithms of the next token's probabilities, `[batch, position, vocab]`. */
  logProbs: Activation;
}

/**
 * Sees an activation before it is used (attention's scores and pattern apart), and may change its values in place. The
 * reverse pass takes a change for an added constant, and knows none of a layer norm's scale or normalised input.
 */
export type Edit = (name: string, activation: Activation) => void;

/**
 * GPT-2 on raw weights in float64 (Radford et al. 2019).
 *
 * @example
 * const pass = forward(readWeights(folder), config, layOut([[1, 2, 3]], config));
 * pass.activations.get("blocks.0.hook_resid_mid"); // [1, 3, dModel]
 */
export function forward(weights: Weights, config: GPT2Config, batch: Batch, edit?: Edit): Pass {
  const { dModel, dHead, nHead, dMlp, vocabSize } = config;
  const lead = [batch.batch, batch.positions];
  const activations = new Map<string, Activation>();
  const get = (name: string): Float64Array => weightOf(weights, name);
  const point = (name: string, values: Float64Array, ...rest: number[]): Float64Array => {
    const activation = { shape: [...lead, ...rest], values };
    edit?.(name, activation);
    activations.set(name, activation);
    return values;
  };
  const norm = (name: string, at: string, x: Float64Array): Float64Array => {
    const { centred, scale } = centre(x, dModel, config.layerNormEpsilon);
    point(`${at}.hook_scale`, scale, 1);
    const normalized = centred.map((value, i) => value / scale[Math.floor(i / dModel)]!);
    return scaledAndShifted(point(`${at}.hook_normalized`, normalized, dModel), weights, name);
  };

  const rowOf = (table: string, row: number | null): number[] =>
    row === null ? Array<number>(dModel).fill(0) : [...get(table).subarray(row * dModel, (row + 1) * dModel)];
  const tokens = Float64Array.from(batch.ids.flatMap((id) => rowOf("wte.weight", id)));
  const places = Float64Array.from(batch.places.flatMap((place) => rowOf("wpe.weight", place)));
  let residual = sum(point("hook_embed", tokens, dModel), point("hook_pos_embed", places, dModel));

  for (let layer = 0; layer < config.nLayer; layer += 1) {
    const [at, h] = [`blocks.${layer}`, `h.${layer}`];
    point(`${at}.hook_resid_pre`, residual, dModel);

    const normed = norm(`${h}.ln_1`, `${at}.ln1`, residual);
    const qkv = affine(normed, get(`${h}.attn.c_attn.weight`), get(`${h}.attn.c_attn.bias`));
    const [q, k, v] = ["q", "k", "v"].map((name, part) =>
      point(
        `${at}.attn.hook_${name}`,
        qkv.filter((_, i) => Math.floor((i % (3 * dModel)) / dModel) === part),
        nHead,
        dHead,
      ),
    ) as [Float64Array, Float64Array, Float64Array];
    const { scores, pattern, z } = attend({ q, k, v }, batch, config);
    const square = [batch.batch, nHead, batch.positions, batch.positions];
    activations.set(`${at}.attn.hook_attn_scores`, { shape: square, values: scores });
    activations.set(`${at}.attn.hook_pattern`, { shape: square, values: pattern });
    point(`${at}.attn.hook_z`, z, nHead, dHead);
    const attended = affine(z, get(`${h}.attn.c_proj.weight`), get(`${h}.attn.c_proj.bias`));
    residual = sum(residual, point(`${at}.hook_attn_out`, attended, dModel));
    point(`${at}.hook_resid_mid`, residual, dModel);

    const read = norm(`${h}.ln_2`, `${at}.ln2`, residual);
    const pre = affine(read, get(`${h}.mlp.c_fc.weight`), get(`${h}.mlp.c_fc.bias`));
    const post = point(`${at}.mlp.hook_pre`, pre, dMlp).map(gelu);
    point(`${at}.mlp.hook_post`, post, dMlp);
    const written = affine(post, get(`${h}.mlp.c_proj.weight`), get(`${h}.mlp.c_proj.bias`));
    residual = sum(residual, point(`${at}.hook_mlp_out`, written, dModel));
    point(`${at}.hook_resid_post`, residual, dModel);
  }

  const last = norm("ln_f", "ln_final", residual);
  const logits = product(last, transposed(unembedding(weights), vocabSize, dModel), {
    rows: batch.batch * batch.positions,
    inner: dModel,
    columns: vocabSize,
  });
  const shape = [...lead, vocabSize];
  const logProbs = { shape, values: logSoftmax(logits, vocabSize) };
  return { config, weights, batch, activations, logits: { shape, values: logits }, logProbs };
}

/** A layer norm's output: its normalised input times its weight plus its bias. */
export function scaledAndShifted(normalized: Float64Array, weights: Weights, name: string): Float64Array {
  const [weight, bias] = [weightOf(weights, `${name}.weight`), weightOf(weights, `${name}.bias`)];
  return normalized.map((value, i) => value * weight[i % weight.length]! + bias[i % bias.length]!);
}

/** The unembedding's rows, `[vocab, dModel]`: the token embedding unless the model has its own. */
export function unembedding(weights: Weights): Float64Array {
  return weights.get("lm_head.weight") ?? weightOf(weights, "wte.weight");
}

export function weightOf(weights: Weights, name: string): Float64Array {
  const values = weights.get(name);
  if (!values) throw new Error(`referee: no weight ${name}`);
  return values;
}
