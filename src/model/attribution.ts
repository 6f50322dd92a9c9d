import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { ActivationCache } from "./activation-cache.js";
import type { GPT2 } from "./gpt2.js";
import type { ForwardOptions } from "./pass-options.js";
import { checkToken, scaleOf } from "./residual.js";

export interface AttributionOptions extends ForwardOptions {
  /** What the logit is divided among: what each block's attention and MLP write, or each attention head for itself. */
  parts?: "blocks" | "heads";
}

/** A logit, and what each part of the model adds to it. */
export interface Attribution {
  /** `embed`, `pos_embed`, `0_attn_out`, `0_mlp_out`, …, `bias`; with heads `L0H0`, … and `0_attn_bias` for attention. */
  labels: string[];
  /** `[part][sequence]`; a sequence's column sums to its logit. */
  attributions: number[][];
  /** The logit of each sequence's token after its last position. */
  logits: number[];
}

/**
 * Direct logit attribution (Elhage et al. 2021): a token's logit at the last position as a sum over what was written to the
 * residual stream, the last layer norm's scale taken as given.
 *
 * @param ids token ids, one array per sequence
 * @param tokens one token for all sequences, one per sequence, or `{ of, minus }` for the difference of two logits
 *
 * @example
 * const { labels, attributions } = await directLogitAttribution(model, ids, { of: 7510, minus: 922 });
 */
export async function directLogitAttribution(
  model: GPT2,
  ids: readonly (readonly number[])[],
  tokens: number | readonly number[] | { of: number; minus: number },
  { parts = "blocks", ...options }: AttributionOptions = {},
): Promise<Attribution> {
  const { nLayer, nHead } = model.config;
  const layers = Array.from({ length: nLayer }, (_, layer) => layer);
  const final = `blocks.${nLayer - 1}.hook_resid_post`;
  const attention = parts === "heads" ? "attn.hook_z" : "hook_attn_out";
  const names = [
    "hook_embed",
    "hook_pos_embed",
    ...layers.flatMap((layer) => [`blocks.${layer}.${attention}`, `blocks.${layer}.hook_mlp_out`]),
    final,
  ];
  const signs = signedTokens(model, tokens, ids.length);
  const run = model.runWithCache(ids, { ...options, names, positions: -1, stopAtLayer: nLayer });
  run.residual.dispose();
  const labels = [
    "embed",
    "pos_embed",
    ...layers.flatMap((layer) => [
      ...(parts === "heads"
        ? [...Array.from({ length: nHead }, (_, head) => `L${layer}H${head}`), `${layer}_attn_bias`]
        : [`${layer}_attn_out`]),
      `${layer}_mlp_out`,
    ]),
    "bias",
  ];
  const table = tf.tidy(() => {
    const directions = directionsOf(model, signs, scaleOf(model, last(run.cache, final)));
    const along = (written: tf.Tensor2D): tf.Tensor1D => tf.sum(tf.mul(written, directions.reading), -1);
    const rows: tf.Tensor1D[] = [
      along(last(run.cache, "hook_embed")),
      along(last(run.cache, "hook_pos_embed")),
    ];
    for (const layer of layers) {
      const at = `blocks.${layer}`;
      if (parts === "heads") rows.push(...headRows(model, layer, run.cache, directions.reading));
      else rows.push(along(last(run.cache, `${at}.hook_attn_out`)));
      rows.push(along(last(run.cache, `${at}.hook_mlp_out`)));
    }
    return tf.stack([...rows, directions.constant]) as tf.Tensor2D;
  });
  run.cache.dispose();
  const attributions = await table.array();
  table.dispose();
  const logits = ids.map((_, row) => attributions.reduce((sum, part) => sum + (part[row] ?? 0), 0));
  return { labels, attributions, logits };
}

/** Tokens with the sign that their logit counts with, per sequence. */
function signedTokens(
  { config }: GPT2,
  tokens: number | readonly number[] | { of: number; minus: number },
  sequences: number,
): { plus: number[]; minus: number[] | null } {
  const repeat = (token: number): number[] => Array<number>(sequences).fill(token);
  const signed =
    typeof tokens === "number"
      ? { plus: repeat(tokens), minus: null }
      : "of" in tokens
        ? { plus: repeat(tokens.of), minus: repeat(tokens.minus) }
        : { plus: [...tokens], minus: null };
  if (signed.plus.length !== sequences) {
    throw new UserError(
      `${signed.plus.length} tokens for ${sequences} sequences: expected one, or one per sequence`,
    );
  }
  for (const token of [...signed.plus, ...(signed.minus ?? [])]) checkToken(token, config);
  return signed;
}

/**
 * What the logit reads from the residual stream, `[batch, dModel]`, layer norm's centring and scale included; and what
 * does not depend on the text, `[batch]`.
 */
function directionsOf(
  model: GPT2,
  { plus, minus }: { plus: number[]; minus: number[] | null },
  scale: tf.Tensor,
): { reading: tf.Tensor2D; constant: tf.Tensor1D } {
  const { weight, bias } = model.unembeddingWithBias;
  const pick = <T extends tf.Tensor>(table: T): T => {
    const of = (ids: number[]): T => tf.gather(table, tf.tensor1d(ids, "int32"));
    return minus ? tf.sub<T>(of(plus), of(minus)) : of(plus);
  };
  const rows = pick(weight); // [batch, dModel]
  const read = tf.mul<tf.Tensor2D>(rows, model.weight("ln_f.weight"));
  const centred = tf.sub(read, tf.mean(read, -1, true));
  const fromNorm = tf.sum<tf.Tensor1D>(tf.mul(rows, model.weight("ln_f.bias")), -1);
  return {
    reading: tf.div<tf.Tensor2D>(centred, scale),
    constant: bias ? tf.add(fromNorm, pick(bias)) : fromNorm,
  };
}

/** What each head of a block adds, then its attention's output bias: rows of `[batch]`. */
function headRows(model: GPT2, layer: number, cache: ActivationCache, reading: tf.Tensor2D): tf.Tensor1D[] {
  const { nHead, dHead, dModel } = model.config;
  const z = tf.reshape<tf.Rank.R3>(cache.at(`blocks.${layer}.attn.hook_z`), [-1, nHead, dHead]);
  const output = model.weight(`h.${layer}.attn.c_proj.weight`) as tf.Tensor2D; // [head·dHead, dModel]
  const readFromHeads = tf.reshape<tf.Rank.R3>(tf.matMul(reading, output, false, true), [-1, nHead, dHead]);
  const perHead = tf.sum<tf.Tensor2D>(tf.mul(z, readFromHeads), -1); // [batch, head]
  const bias = tf.matMul(reading, tf.reshape(model.weight(`h.${layer}.attn.c_proj.bias`), [dModel, 1]));
  return [...(tf.unstack(perHead, 1) as tf.Tensor1D[]), tf.reshape<tf.Rank.R1>(bias, [-1])];
}

/** An activation kept at one position, `[batch, dModel]`. */
function last(cache: ActivationCache, name: string): tf.Tensor2D {
  return tf.squeeze(cache.at<tf.Tensor3D>(name), [1]);
}
