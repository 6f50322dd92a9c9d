import * as tf from "@tensorflow/tfjs-core";

/*
 * Fused kernels: what a backend may register under these names to replace the plain composition of tfjs' operations. Each
 * function of this folder runs the kernel where the current backend has it, the composition elsewhere; the tests hold one
 * against the other. All tensors are float32 and dense, row by row, unless said otherwise.
 *
 * Kernels marked "in place" write into buffers of their inputs and hand the same data back.
 */

/** Names of the fused kernels, with inputs → outputs and attributes. */
export const FUSED = {
  /** x [rows, width], weight [width], bias [width] → y [rows, width]. Attribute: epsilon. */
  layerNorm: "FusedLayerNorm",
  /** x, weight, dy [rows, width] → dx, dWeight [width], dBias [width]. Attribute: epsilon. */
  layerNormGrad: "FusedLayerNormGrad",
  /**
   * x [rows, in], weight [in, out], bias [out] → post [rows, out] = GELU(x·weight + bias) and, with the attribute
   * keepPre, pre [rows, out] as second output.
   */
  linearGelu: "FusedLinearGelu",
  /** pre, post, dy, all of one shape → dPre. */
  geluGrad: "FusedGeluGrad",
  /**
   * Causal attention: q, k, v, pads int32 [batch] → z [batch·queries, dModel] and, with the attribute keepPattern,
   * pattern [batch, heads, queries, keys] as second output.
   *
   * Attributes: batch, heads, queries, keys, dHead (dModel = heads·dHead), joined, keepPattern. Heads lie side by side in a row. Joined: q, k and v
   * are one tensor [batch·queries, 3·dModel] whose columns are queries, keys, values, and keys = queries. Else: q
   * [batch, queries, dModel], k and v [batch, capacity, dModel] of which the first `keys` positions are filled. The
   * queries are the last of the keys: query i may look at key j where pads[b] ≤ j ≤ i + keys − queries. A query that
   * may look at nothing (a pad) has a pattern and a z of zeros. Scores are scaled by 1/√dHead.
   */
  attention: "FusedAttention",
  /**
   * q, k, v, pattern as above, dz [batch·queries, dModel] → joined: dqkv [batch·queries, 3·dModel]; else dq, dk, dv,
   * shaped like q, k and v, zero after the filled positions. Attributes as above.
   */
  attentionGrad: "FusedAttentionGrad",
  /**
   * In place: writes the columns [part·dModel, (part+1)·dModel) of qkv [batch·queries, 3·dModel] to cache
   * [batch, capacity, dModel] at the positions from `at` on → cache. Attributes: at, part.
   */
  appendToCache: "FusedAppendToCache",
  /**
   * One new token per row over its past: qkv [batch, 3·dModel], keys and values [batch, capacity, dModel], of which the
   * positions before `at` are filled, pads int32 [batch] → z [batch, dModel], pattern [batch, heads, at + 1]. In place:
   * writes the token's own key and value to position `at`. Scores are scaled by 1/√dHead. Attributes: at, heads.
   */
  attendPast: "FusedAttendPast",
  /**
   * qkv, keys, values, pads, pattern as above, dz [batch, dModel] → dqkv [batch, 3·dModel], factors
   * [batch, heads, 2·(at + 1 + dHead)]: per head dScores, pattern, q, dz. Attributes as above.
   */
  attendPastGrad: "FusedAttendPastGrad",
  /**
   * In place: keys and values [batch, capacity, dModel] and, from factors as above, their gradient g (by the key of
   * position j dScores[j]·q, by its value pattern[j]·dz), mask [batch, at] → norms [batch] = ‖mask·g‖ + 1e-15 over both;
   * keys and values −= size·mask·g/norm^gamma at the positions before `at`. Attributes: at, heads, size, gamma.
   */
  stepPast: "FusedStepPast",
  /** logits [rows, classes], targets int32 [rows] → log p(target) [rows]. */
  pickLogProb: "FusedPickLogProb",
  /**
   * logits, logProbs [rows], targets, dy [rows] → dLogits = dy·(onehot − softmax) [rows, classes]. With the attribute
   * inPlace it may take the buffer of logits.
   */
  pickLogProbGrad: "FusedPickLogProbGrad",
  /** table [length, width], ids int32 [n] → [n, width]. */
  gatherRows: "FusedGatherRows",
  /** rows [n, width], ids int32 [n] → [length, width], rows with equal ids added up in their order. Attribute: length. */
  scatterAdd: "FusedScatterAdd",
  /**
   * In place, where the backend's matrix product allows it: parameter, meanSquare, gradient, all of one shape → parameter,
   * meanSquare. Attributes: learningRate, decay, epsilon.
   */
  rmsProp: "FusedRmsProp",
} as const;

export type FusedName = (typeof FUSED)[keyof typeof FUSED];

/** Whether the current backend has a fused kernel. */
export function hasKernel(name: FusedName): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs a fused kernel of the current backend. */
export function runKernel<T extends tf.Tensor | tf.Tensor[]>(
  name: FusedName,
  inputs: Record<string, tf.Tensor>,
  attributes: object = {},
): T {
  return tf.engine().runKernel<T>(name, inputs, attributes as tf.NamedAttrMap);
}
