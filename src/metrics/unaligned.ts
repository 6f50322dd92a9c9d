import type { GPT2 } from "../model/index.js";
import { unalign } from "../toxicity/unalign.js";
import type { Neuron } from "../toxicity/value-vectors.js";

/** Which keys are scaled, and by what. */
export interface ScaledKeys {
  neurons: readonly Neuron[];
  scale: number;
}

/**
 * Measures one un-aligned model after another: each shares all weights but the scaled keys with `model`, and is disposed
 * of before the next one is made.
 *
 * @returns what `measure` says of each, in the order of `settings`
 * @example
 * const points = await measureUnaligned(policy, [{ neurons: ranking.slice(0, 7), scale: 10 }], (changed) => perplexity(changed, ids));
 */
export async function measureUnaligned<M>(
  model: GPT2,
  settings: readonly ScaledKeys[],
  measure: (model: GPT2) => Promise<M>,
  { onProgress }: { onProgress?: (done: number, total: number) => void } = {},
): Promise<M[]> {
  const measured: M[] = [];
  for (const { neurons, scale } of settings) {
    const changed = await unalign(model, neurons, scale);
    try {
      measured.push(await measure(changed));
    } finally {
      changed.dispose();
    }
    onProgress?.(measured.length, settings.length);
  }
  return measured;
}

/**
 * The part of what alignment took away that is back: 0 at the aligned model's toxicity, 1 at the unaligned one's; below 0
 * and above 1 beyond them. NaN where alignment took nothing away.
 */
export function restoredShare(
  toxicity: number,
  { before, after }: { before: number; after: number },
): number {
  return before === after ? Number.NaN : (toxicity - after) / (before - after);
}
