import * as tf from "@tensorflow/tfjs-core";
import { differentiable, isDifferentiating } from "../tape.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/** Far below any score, and finite: a softmax over it is exactly 0 in float32, and no backend meets an infinity. */
const HIDDEN = -1e9;

/**
 * Who may look at whom: query i (the queries are the last of the keys) at key j where pads ≤ j ≤ i + keys − queries.
 * A pad may look at nothing: its pattern is all zeros, as in TransformerLens.
 */
export interface AttentionMask {
  queries: number;
  keys: number;
  /** Keys hidden on the left of each row, int32 `[batch]`. */
  pads: tf.Tensor1D;
  /** Added to the scaled scores, `[1 or batch, 1, query, key]`; made only where the composition will be run. */
  bias: tf.Tensor4D | null;
  /** 0 for queries that see nothing, `[batch, 1, query, 1]`; null where every query sees something. */
  seeing: tf.Tensor4D | null;
  /** Whether only the composition can apply it: keys are hidden elsewhere than on the left. */
  composedOnly?: boolean;
}

/**
 * The mask of one forward pass, for all its blocks.
 *
 * @param pads keys hidden on the left of each row
 * @param composed whether scores will be masked outside the fused kernel (somebody listens to them)
 */
export function attentionMask(
  queries: number,
  keys: number,
  pads: readonly number[],
  composed = false,
): AttentionMask {
  const mask = { queries, keys, pads: tf.tensor1d(pads as number[], "int32") };
  if (!composed && hasKernel(FUSED.attention)) return { ...mask, bias: null, seeing: null };
  const rows = pads.some((pad) => pad > 0) ? pads : [0];
  const past = keys - queries;
  const bias = new Float32Array(rows.length * queries * keys);
  rows.forEach((pad, row) => {
    for (let query = 0; query < queries; query++) {
      const start = (row * queries + query) * keys;
      bias.fill(HIDDEN, start, start + pad);
      bias.fill(HIDDEN, start + past + query + 1, start + keys);
    }
  });
  const blind = rows.some((pad) => pad > past);
  const seeing = blind
    ? tf.tensor4d(
        rows.flatMap((pad) => Array.from({ length: queries }, (_, query) => Number(past + query >= pad))),
        [rows.length, 1, queries, 1],
      )
    : null;
  return { ...mask, bias: tf.tensor4d(bias, [rows.length, 1, queries, keys]), seeing };
}

/** Hides once or twice, and swallows any score that it is added to: what is hidden to the same degree weighs the same. */
const SWALLOWING = -1e30;

/**
 * A mask that hides keys wherever they are, as Hugging Face's GPT-2 (4.35) applies an attention mask: it comes on top of
 * causality, so that a query which sees no key at all weighs those equally that are hidden once: hidden keys before it, and
 * later ones that are not hidden.
 *
 * @param hidden 1 for keys that nobody is to see, `[batch, position]`
 */
export function hidingMask(hidden: Uint8Array, batch: number, positions: number): AttentionMask {
  const bias = new Float32Array(batch * positions * positions);
  for (let row = 0; row < batch; row++) {
    for (let query = 0; query < positions; query++) {
      const start = (row * positions + query) * positions;
      for (let key = 0; key < positions; key++) {
        const times = Number(key > query) + (hidden[row * positions + key] ?? 0);
        bias[start + key] = times * SWALLOWING;
      }
    }
  }
  return {
    queries: positions,
    keys: positions,
    pads: tf.zeros([batch], "int32"),
    bias: tf.tensor4d(bias, [batch, 1, positions, positions]),
    seeing: null,
    composedOnly: true,
  };
}

/**
 * Causal softmax attention of all heads in one operation, over the tokens of this pass.
 *
 * @param qkv `[batch·position, 3·dModel]`: columns are queries, keys, values, heads side by side in each
 * @returns z `[batch·position, dModel]`
 */
export function joinedAttention(qkv: tf.Tensor2D, mask: AttentionMask, heads: number): tf.Tensor2D {
  if (mask.composedOnly || !hasKernel(FUSED.attention)) {
    return tf.tidy(() => {
      const [q, k, v] = splitHeads(qkv, mask.pads.size, heads);
      return joinHeads(composedAttention(q, k, v, mask));
    });
  }
  const attributes = { ...attributesOf(mask, heads, qkv.shape[1] / 3), joined: true };
  const { pads } = mask;
  return differentiable([qkv], (save) => {
    const keepPattern = isDifferentiating();
    const inputs = { q: qkv, k: qkv, v: qkv, pads };
    const [z, pattern] = runKernel<tf.Tensor[]>(FUSED.attention, inputs, { ...attributes, keepPattern });
    if (pattern) save([qkv, pattern, pads]);
    return {
      value: z as tf.Tensor,
      gradient: (dz, saved) => {
        const [input, weights, hidden] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
        const own = { q: input, k: input, v: input, pattern: weights, pads: hidden, dz };
        return runKernel<tf.Tensor[]>(FUSED.attentionGrad, own, attributes);
      },
    };
  });
}

/**
 * Causal softmax attention of new queries over keys and values that reach further back.
 *
 * @param q `[batch, query, dModel]`, heads side by side
 * @param k `[batch, capacity, dModel]`, the first `mask.keys` positions filled
 * @param v like `k`
 * @returns z `[batch·query, dModel]`
 */
export function attention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  mask: AttentionMask,
  heads: number,
): tf.Tensor2D {
  if (!hasKernel(FUSED.attention)) {
    const filled = (x: tf.Tensor3D): tf.Tensor4D =>
      headsOf(x.shape[1] === mask.keys ? x : tf.slice(x, [0, 0, 0], [-1, mask.keys, -1]), heads);
    return tf.tidy(() => joinHeads(composedAttention(headsOf(q, heads), filled(k), filled(v), mask)));
  }
  const attributes = { ...attributesOf(mask, heads, q.shape[2]), joined: false };
  const { pads } = mask;
  return differentiable([q, k, v], (save) => {
    const keepPattern = isDifferentiating();
    const [z, pattern] = runKernel<tf.Tensor[]>(
      FUSED.attention,
      { q, k, v, pads },
      { ...attributes, keepPattern },
    );
    if (pattern) save([q, k, v, pattern, pads]);
    return {
      value: z as tf.Tensor,
      gradient: (dz, saved) => {
        const [sq, sk, sv, weights, hidden] = saved as Five;
        const own = { q: sq, k: sk, v: sv, pattern: weights, pads: hidden, dz };
        return runKernel<tf.Tensor[]>(FUSED.attentionGrad, own, attributes);
      },
    };
  });
}

type Five = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];

function attributesOf({ pads, queries, keys }: AttentionMask, heads: number, dModel: number): object {
  return { batch: pads.size, heads, queries, keys, dHead: dModel / heads };
}

/** Scores, masked: `[batch, head, query, key]`, scaled by 1/√dHead. */
export function maskedScores(q: tf.Tensor4D, k: tf.Tensor4D, { bias }: AttentionMask): tf.Tensor4D {
  if (!bias) throw new Error("maskedScores: the mask was made without its bias");
  return tf.tidy(() => tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3])), bias));
}

/** The attention pattern of masked scores: their softmax over keys, zero for a query that sees nothing. */
export function patternOf(scores: tf.Tensor4D, { seeing }: AttentionMask): tf.Tensor4D {
  return tf.tidy(() => {
    const pattern = tf.softmax(scores);
    return seeing ? tf.mul(pattern, seeing) : pattern;
  });
}

/**
 * Attention as a composition of plain operations.
 *
 * @param q `[batch, head, query, dHead]`
 * @param k `[batch, head, key, dHead]`
 * @param v like `k`
 * @returns z `[batch, head, query, dHead]`
 */
export function composedAttention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  mask: AttentionMask,
): tf.Tensor4D {
  return tf.tidy(() => tf.matMul(patternOf(maskedScores(q, k, mask), mask), v));
}

/**
 * Queries, keys and values of all heads.
 *
 * @param qkv `[batch·position, 3·dModel]`
 * @returns three of `[batch, head, position, dHead]`
 */
export function splitHeads(
  qkv: tf.Tensor2D,
  batch: number,
  heads: number,
): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  const part = (index: number): tf.Tensor4D => headsOf(partOf(qkv, batch, index), heads);
  return tf.tidy(() => [part(0), part(1), part(2)]);
}

/** Queries (part 0), keys (1) or values (2) of `qkv` `[batch·position, 3·dModel]`: `[batch, position, dModel]`. */
export function partOf(qkv: tf.Tensor2D, batch: number, part: number): tf.Tensor3D {
  const width = qkv.shape[1] / 3;
  return tf.tidy(() => tf.reshape(tf.slice(qkv, [0, part * width], [-1, width]), [batch, -1, width]));
}

/** `[batch, position, dModel]` to `[batch, head, position, dHead]`. */
export function headsOf(x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [batch, positions, width] = x.shape;
  return tf.tidy(() =>
    tf.transpose(tf.reshape<tf.Rank.R4>(x, [batch, positions, heads, width / heads]), [0, 2, 1, 3]),
  );
}

/** Heads side by side again: `[batch, head, position, dHead]` to `[batch·position, dModel]`. */
export function joinHeads(z: tf.Tensor4D): tf.Tensor2D {
  const [batch, heads, positions, dHead] = z.shape;
  return tf.tidy(() => tf.reshape(tf.transpose(z, [0, 2, 1, 3]), [batch * positions, heads * dHead]));
}
