import * as tf from "@tensorflow/tfjs-core";
import {
  attention,
  embed,
  gelu,
  joinHeads,
  layerNorm,
  layerNormParts,
  linear,
  splitHeads,
} from "../tensors/ops";
import type { GPT2Config } from "./config";
import type { Parameters } from "./parameters";

/** Called at every hook point with TransformerLens' name; returns the activation to go on with. */
export type HookPoint = <T extends tf.Tensor>(name: string, activation: T) => T;

/** Keys and values of the positions seen so far, one pair of `[batch, head, position, dHead]` per block. */
export type KeyValueCache = { keys: tf.Tensor4D; values: tf.Tensor4D }[];

/** One batch of tokens, laid out for a forward pass. */
export interface ForwardInput {
  /** Token ids, `[batch, position]`, row by row. */
  ids: Int32Array;
  batch: number;
  /** Absolute position of each token, `[batch, position]`. */
  positions: Int32Array;
  /** Added to the attention scores, `[1 or batch, 1, query, key]`: 0 where attention may look, −1e9 where not. */
  attentionBias: tf.Tensor4D;
  /** Keys and values of earlier positions; the new ones are appended in place. */
  cache?: KeyValueCache;
  /** Unembed the last position only. */
  lastPositionOnly?: boolean;
  /** Whether anybody listens at hook points, by name; unheard activations need not be materialised. */
  listens: (name: string) => boolean;
  hook: HookPoint;
}

const ATTENTION_POINTS = ["hook_q", "hook_k", "hook_v", "hook_attn_scores", "hook_pattern", "hook_z"];

/**
 * GPT-2's forward pass (Radford et al. 2019), from token ids to logits `[batch, position, vocab]`.
 *
 * Every activation that the paper speaks of passes through `hook` under TransformerLens' name, on raw weights: with
 * x the residual stream, block ℓ computes x_mid = x + Attn(LN₁(x)) and x' = x_mid + MLP(LN₂(x_mid)).
 */
export function forward(parameters: Parameters, config: GPT2Config, input: ForwardInput): tf.Tensor3D {
  const { hook } = input;
  const positions = input.ids.length / input.batch;
  const rows = input.ids.length;
  const shape: [number, number, number] = [input.batch, positions, config.dModel];
  const get = <T extends tf.Tensor>(name: string): T => {
    const tensor = parameters.get(name);
    if (!tensor) throw new Error(`forward: no parameter ${name}`);
    return tensor as T;
  };

  const tokens = embed(get("wte.weight"), tf.tensor1d(input.ids, "int32")); // [rows, dModel]
  const places = embed(get("wpe.weight"), tf.tensor1d(input.positions, "int32"));
  let residual: tf.Tensor3D = tf.add(
    hook("hook_embed", tf.reshape(tokens, shape)),
    hook("hook_pos_embed", tf.reshape(places, shape)),
  );

  /** Layer norm of [batch, position, dModel], as rows; in parts where a hook listens. */
  const norm = (name: string, point: string, x: tf.Tensor3D): tf.Tensor2D => {
    const flat: tf.Tensor2D = tf.reshape(x, [-1, config.dModel]);
    const weight = get<tf.Tensor1D>(`${name}.weight`);
    const bias = get<tf.Tensor1D>(`${name}.bias`);
    const heard = input.listens(`${point}.hook_scale`) || input.listens(`${point}.hook_normalized`);
    if (!heard) return layerNorm(flat, weight, bias, config.layerNormEpsilon);
    const { scale } = layerNormParts(flat, weight, bias, config.layerNormEpsilon);
    const hookedScale = hook(`${point}.hook_scale`, tf.reshape(scale, [...x.shape.slice(0, 2), 1]));
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const normalized = hook(`${point}.hook_normalized`, tf.div(centred, hookedScale));
    return tf.add(tf.mul(tf.reshape(normalized, flat.shape), weight), bias);
  };

  for (let layer = 0; layer < config.nLayer; layer++) {
    const at = `blocks.${layer}`;
    residual = hook(`${at}.hook_resid_pre`, residual);
    const attended = attend(layer, norm(`h.${layer}.ln_1`, `${at}.ln1`, residual));
    residual = tf.add(residual, hook(`${at}.hook_attn_out`, tf.reshape(attended, shape)));
    residual = hook(`${at}.hook_resid_mid`, residual);
    const written = mlp(layer, norm(`h.${layer}.ln_2`, `${at}.ln2`, residual));
    residual = tf.add(residual, hook(`${at}.hook_mlp_out`, tf.reshape(written, shape)));
    residual = hook(`${at}.hook_resid_post`, residual);
  }

  if (input.lastPositionOnly) residual = tf.slice(residual, [0, positions - 1, 0], [-1, 1, -1]);
  const last = norm("ln_f", "ln_final", residual);
  const unembedding = (parameters.get("lm_head.weight") ?? get("wte.weight")) as tf.Tensor2D;
  const logits = tf.matMul(last, unembedding, false, true);
  return tf.reshape(logits, [input.batch, -1, config.vocabSize]);

  function attend(layer: number, x: tf.Tensor2D): tf.Tensor2D {
    const at = `blocks.${layer}.attn`;
    const { nHead, dHead } = config;
    const qkv = linear(x, get(`h.${layer}.attn.c_attn.weight`), get(`h.${layer}.attn.c_attn.bias`));
    let merged: tf.Tensor2D;
    if (!input.cache && !ATTENTION_POINTS.some((point) => input.listens(`${at}.${point}`))) {
      merged = attention(qkv, input.attentionBias, input.batch, nHead);
    } else {
      const heads = splitHeads(qkv, input.batch, nHead);
      const q = headHook(`${at}.hook_q`, heads[0]);
      const k = headHook(`${at}.hook_k`, heads[1]);
      const v = headHook(`${at}.hook_v`, heads[2]);
      const { keys, values } = remember(layer, k, v);
      const raw = tf.mul(tf.matMul(q, keys, false, true), 1 / Math.sqrt(dHead)); // [batch, head, query, key]
      const scores = hook(`${at}.hook_attn_scores`, tf.add<tf.Tensor4D>(raw, input.attentionBias));
      const pattern = hook(`${at}.hook_pattern`, tf.softmax(scores));
      merged = joinHeads(headHook(`${at}.hook_z`, tf.matMul(pattern, values)));
    }
    return linear(merged, get(`h.${layer}.attn.c_proj.weight`), get(`h.${layer}.attn.c_proj.bias`));
  }

  /** Hooks on q, k, v and z see TransformerLens' layout, `[batch, position, head, dHead]`. */
  function headHook(name: string, x: tf.Tensor4D): tf.Tensor4D {
    if (!input.listens(name)) return x;
    const seen: tf.Tensor4D = tf.transpose(x, [0, 2, 1, 3]);
    const result = hook(name, seen);
    return result === seen ? x : tf.transpose(result, [0, 2, 1, 3]);
  }

  /** Appends this pass' keys and values to the cache and returns all there are. */
  function remember(
    layer: number,
    k: tf.Tensor4D,
    v: tf.Tensor4D,
  ): { keys: tf.Tensor4D; values: tf.Tensor4D } {
    if (!input.cache) return { keys: k, values: v };
    const before = input.cache[layer];
    const keys: tf.Tensor4D = before ? tf.concat([before.keys, k], 2) : tf.clone(k);
    const values: tf.Tensor4D = before ? tf.concat([before.values, v], 2) : tf.clone(v);
    before?.keys.dispose();
    before?.values.dispose();
    input.cache[layer] = { keys: tf.keep(keys), values: tf.keep(values) };
    return { keys, values };
  }

  function mlp(layer: number, x: tf.Tensor2D): tf.Tensor2D {
    const at = `blocks.${layer}.mlp`;
    const wide: [number, number, number] = [input.batch, positions, config.dMlp];
    const flat: [number, number] = [rows, config.dMlp];
    const projected = linear(x, get(`h.${layer}.mlp.c_fc.weight`), get(`h.${layer}.mlp.c_fc.bias`));
    const pre: tf.Tensor2D = tf.reshape(hook(`${at}.hook_pre`, tf.reshape(projected, wide)), flat);
    const post: tf.Tensor2D = tf.reshape(hook(`${at}.hook_post`, tf.reshape(gelu(pre), wide)), flat);
    return linear(post, get(`h.${layer}.mlp.c_proj.weight`), get(`h.${layer}.mlp.c_proj.bias`));
  }
}
