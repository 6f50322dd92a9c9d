import * as tf from "@tensorflow/tfjs-core";
import {
  add,
  appendToCache,
  attention,
  attentionMask,
  centre,
  embed,
  gelu,
  hidingMask,
  joinHeads,
  joinedAttention,
  layerNorm,
  linear,
  linearGelu,
  maskedScores,
  patternOf,
  reshape,
  splitHeads,
  headsOf,
  partOf,
  type AttentionMask,
} from "@alignscope/tensors/ops";
import type { GPT2Config } from "./config.js";
import type { KeyValueCache } from "./key-values.js";
import type { Batch } from "./padding.js";
import type { Parameters } from "./parameters.js";

/** Called at every hook point with TransformerLens' name; returns the activation to go on with. */
export type HookPoint = <T extends tf.Tensor>(name: string, activation: T) => T;

/** One batch of tokens, and what is wanted of its forward pass. */
export interface ForwardInput extends Batch {
  /** Keys and values of earlier positions, which the batch continues. */
  cache?: KeyValueCache;
  /** Whether this pass' keys and values are appended to the cache; if not, the cache stays as it is. */
  growing?: boolean;
  /** Run the blocks before this one only. */
  stopAtLayer?: number;
  /** Attention of another making, in place of that over this pass' tokens and the cache; hooks within attention see nothing. */
  attend?: Attend;
  /** The hook points where somebody listens; unheard activations need not be materialised. */
  hooked: ReadonlySet<string>;
  hook: HookPoint;
}

/**
 * Attention of one block.
 *
 * @param qkv queries, keys and values of this pass, `[batch·position, 3·dModel]`
 * @returns z `[batch·position, dModel]`, heads side by side
 */
export type Attend = (layer: number, qkv: tf.Tensor2D, mask: AttentionMask) => tf.Tensor2D;

const ATTENTION_POINTS = ["hook_q", "hook_k", "hook_v", "hook_attn_scores", "hook_pattern", "hook_z"];

/**
 * The blocks of GPT-2 (Radford et al. 2019): from token ids to the residual stream after the last block, or before the
 * one to stop at, `[batch, position, dModel]`.
 *
 * Every activation that the paper speaks of passes through `hook` under TransformerLens' name: with x the residual
 * stream, block ℓ computes x_mid = x + Attn(LN₁(x)) and x' = x_mid + MLP(LN₂(x_mid)).
 */
export function runBlocks(parameters: Parameters, config: GPT2Config, input: ForwardInput): tf.Tensor3D {
  const { hook, batch, length, cache } = input;
  const shape: [number, number, number] = [batch, length, config.dModel];
  const get = getter(parameters);

  const tokens = embed(get("wte.weight"), tf.tensor1d(input.ids, "int32")); // [batch·position, dModel]
  const places = embed(get("wpe.weight"), tf.tensor1d(input.positions, "int32"));
  let residual: tf.Tensor3D = add(
    hook("hook_embed", reshape(tokens, shape)),
    hook("hook_pos_embed", withoutPads(reshape(places, shape), input)),
  );

  const layers = input.stopAtLayer ?? config.nLayer;
  const past = cache?.length ?? 0;
  const composed = Array.from({ length: layers }, (_, layer) => layer).some(listensToAttention);
  const mask = input.hidden
    ? hidingMask(input.hidden, batch, length)
    : attentionMask(length, past + length, input.pads, composed);
  for (let layer = 0; layer < layers; layer++) {
    const before = residual;
    if (hookedWithin(layer)) {
      // A hook may hold on to what it sees until the pass ends.
      residual = block(layer, before);
    } else {
      residual = tf.tidy(() => block(layer, before));
      if (layer === 0 || !hookedWithin(layer - 1)) before.dispose();
    }
  }
  if (cache && input.growing) cache.length += length;
  return residual;

  function block(layer: number, before: tf.Tensor3D): tf.Tensor3D {
    const at = `blocks.${layer}`;
    let residual = hook(`${at}.hook_resid_pre`, before);
    const attended = attend(layer, norm(parameters, config, input, `h.${layer}.ln_1`, `${at}.ln1`, residual));
    residual = add(residual, hook(`${at}.hook_attn_out`, reshape(attended, shape)));
    residual = hook(`${at}.hook_resid_mid`, residual);
    const written = mlp(layer, norm(parameters, config, input, `h.${layer}.ln_2`, `${at}.ln2`, residual));
    residual = add(residual, hook(`${at}.hook_mlp_out`, reshape(written, shape)));
    return hook(`${at}.hook_resid_post`, residual);
  }

  function hookedWithin(layer: number): boolean {
    return [...input.hooked].some((name) => name.startsWith(`blocks.${layer}.`));
  }

  function listensToAttention(layer: number): boolean {
    return ATTENTION_POINTS.some((point) => input.hooked.has(`blocks.${layer}.attn.${point}`));
  }

  function attend(layer: number, x: tf.Tensor2D): tf.Tensor2D {
    const qkv = linear(x, get(`h.${layer}.attn.c_attn.weight`), get(`h.${layer}.attn.c_attn.bias`));
    const merged = input.attend?.(layer, qkv, mask) ?? attendHere(layer, qkv);
    return linear(merged, get(`h.${layer}.attn.c_proj.weight`), get(`h.${layer}.attn.c_proj.bias`));
  }

  function attendHere(layer: number, qkv: tf.Tensor2D): tf.Tensor2D {
    if (listensToAttention(layer)) return attendInSteps(layer, qkv, mask);
    return cache
      ? attention(partOf(qkv, batch, 0), ...keysAndValues(cache, layer, qkv), mask, config.nHead)
      : joinedAttention(qkv, mask, config.nHead);
  }

  /** Attention with every step in the open, for those who listen. */
  function attendInSteps(layer: number, qkv: tf.Tensor2D, mask: AttentionMask): tf.Tensor2D {
    const at = `blocks.${layer}.attn`;
    const heads = splitHeads(qkv, batch, config.nHead);
    const q = headHook(`${at}.hook_q`, heads[0]);
    let k = headHook(`${at}.hook_k`, heads[1]);
    let v = headHook(`${at}.hook_v`, heads[2]);
    if (cache) {
      // What hooks made of keys and values is what later positions look at.
      const own = tf.concat<tf.Tensor2D>([q, k, v].map(joinHeads), 1);
      const [keys, values] = keysAndValues(cache, layer, own);
      const filled = (x: tf.Tensor3D): tf.Tensor4D =>
        headsOf(tf.slice(x, [0, 0, 0], [-1, mask.keys, -1]), config.nHead);
      [k, v] = [filled(keys), filled(values)];
    }
    const scores = hook(`${at}.hook_attn_scores`, maskedScores(q, k, mask));
    const pattern = hook(`${at}.hook_pattern`, patternOf(scores, mask));
    return joinHeads(headHook(`${at}.hook_z`, tf.matMul(pattern, v)));
  }

  /** All keys and values that queries of this pass may look at, `[batch, capacity, dModel]`. */
  function keysAndValues(
    cache: KeyValueCache,
    layer: number,
    qkv: tf.Tensor2D,
  ): [keys: tf.Tensor3D, values: tf.Tensor3D] {
    if (input.growing) return cache.append(layer, qkv, appendToCache);
    const { keys, values } = cache.filled(layer);
    return [
      tf.concat<tf.Tensor3D>([keys, partOf(qkv, batch, 1)], 1),
      tf.concat<tf.Tensor3D>([values, partOf(qkv, batch, 2)], 1),
    ];
  }

  /** Hooks on q, k, v and z see TransformerLens' layout, `[batch, position, head, dHead]`. */
  function headHook(name: string, x: tf.Tensor4D): tf.Tensor4D {
    if (!input.hooked.has(name)) return x;
    return tf.transpose(hook(name, tf.transpose(x, [0, 2, 1, 3])), [0, 2, 1, 3]);
  }

  function mlp(layer: number, x: tf.Tensor2D): tf.Tensor2D {
    const at = `blocks.${layer}.mlp`;
    const wide: [number, number, number] = [batch, length, config.dMlp];
    const flat: [number, number] = [batch * length, config.dMlp];
    const keys = get<tf.Tensor2D>(`h.${layer}.mlp.c_fc.weight`);
    const keyBias = get<tf.Tensor1D>(`h.${layer}.mlp.c_fc.bias`);
    const activated = input.hooked.has(`${at}.hook_pre`)
      ? gelu(hook(`${at}.hook_pre`, reshape(linear(x, keys, keyBias), wide)))
      : reshape(linearGelu(x, keys, keyBias), wide);
    const post: tf.Tensor2D = reshape(hook(`${at}.hook_post`, activated), flat);
    return linear(post, get(`h.${layer}.mlp.c_proj.weight`), get(`h.${layer}.mlp.c_proj.bias`));
  }
}

/**
 * What the unembedding reads: the residual stream through the last layer norm, as rows.
 *
 * @param residual `[batch, position, dModel]`
 * @returns `[batch·position, dModel]`
 */
export function finalNorm(
  parameters: Parameters,
  config: GPT2Config,
  input: Pick<ForwardInput, "hooked" | "hook">,
  residual: tf.Tensor3D,
): tf.Tensor2D {
  return norm(parameters, config, input, "ln_f", "ln_final", residual);
}

/** Unembedding and its bias; the former is the token embedding where they are tied, the latter is there once folded. */
export function unembeddingOf(parameters: Parameters): { weight: tf.Tensor2D; bias?: tf.Tensor1D } {
  return {
    weight: (parameters.get("lm_head.weight") ?? getter(parameters)("wte.weight")) as tf.Tensor2D,
    bias: parameters.get("lm_head.bias") as tf.Tensor1D | undefined,
  };
}

/** Layer norm of `[batch, position, dModel]`, as rows; in parts where a hook listens. */
function norm(
  parameters: Parameters,
  config: GPT2Config,
  { hooked, hook }: Pick<ForwardInput, "hooked" | "hook">,
  name: string,
  point: string,
  x: tf.Tensor3D,
): tf.Tensor2D {
  const get = getter(parameters);
  const weight = get<tf.Tensor1D>(`${name}.weight`);
  const bias = get<tf.Tensor1D>(`${name}.bias`);
  const flat: [number, number] = [x.shape[0] * x.shape[1], config.dModel];
  if (!hooked.has(`${point}.hook_scale`) && !hooked.has(`${point}.hook_normalized`)) {
    return layerNorm(reshape(x, flat), weight, bias, config.layerNormEpsilon);
  }
  const { centred, scale } = centre(x, config.layerNormEpsilon);
  const normalized = hook(`${point}.hook_normalized`, tf.div(centred, hook(`${point}.hook_scale`, scale)));
  return tf.add(tf.mul(tf.reshape(normalized, flat), weight), bias);
}

/** Pads stand nowhere: TransformerLens gives them no positional embedding. */
function withoutPads(places: tf.Tensor3D, { pads, batch, length, cache }: ForwardInput): tf.Tensor3D {
  const past = cache?.length ?? 0;
  if (!pads.some((pad) => pad > past)) return places;
  const real = Float32Array.from({ length: batch * length }, (_, i) =>
    Number(past + (i % length) >= (pads[Math.floor(i / length)] ?? 0)),
  );
  return tf.mul(places, tf.tensor3d(real, [batch, length, 1]));
}

function getter(parameters: Parameters): <T extends tf.Tensor>(name: string) => T {
  return <T extends tf.Tensor>(name: string) => {
    const tensor = parameters.get(name);
    if (!tensor) throw new Error(`forward: no parameter ${name}`);
    return tensor as T;
  };
}
