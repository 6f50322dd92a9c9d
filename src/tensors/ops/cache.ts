import * as tf from "@tensorflow/tfjs-core";
import { partOf } from "./attention.js";
import { FUSED, hasKernel, runKernel } from "./fused.js";

/**
 * Appends this pass' keys (part 1) or values (part 2) to a cache that generation grows.
 *
 * `cache` is taken over: go on with what is returned. A backend with the fused kernel writes into the room that the cache
 * was given; elsewhere the result is a new tensor that holds the filled positions only.
 *
 * @param cache `[batch, capacity, dModel]`, the first `at` positions filled; kept, not part of a tidy
 * @param qkv `[batch·query, 3·dModel]`
 * @returns the cache, kept
 */
export function appendToCache(cache: tf.Tensor3D, qkv: tf.Tensor2D, part: 1 | 2, at: number): tf.Tensor3D {
  const batch = cache.shape[0];
  let grown: tf.Tensor3D;
  if (hasKernel(FUSED.appendToCache)) {
    grown = runKernel<tf.Tensor3D>(FUSED.appendToCache, { cache, qkv }, { at, part });
  } else {
    grown = tf.tidy(() => {
      const own = partOf(qkv, batch, part);
      return at === 0 ? own : tf.concat([tf.slice(cache, [0, 0, 0], [-1, at, -1]), own], 1);
    });
  }
  tf.keep(grown);
  cache.dispose();
  return grown;
}
