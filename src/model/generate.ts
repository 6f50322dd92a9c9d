import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../data/errors";
import type { KeyValueCache } from "./forward";
import type { GPT2 } from "./gpt2";
import type { Hooks } from "./hooks";
import { layOut, type Padding } from "./padding";

export interface GenerateOptions {
  maxNewTokens: number;
  /** How prompts of unequal length are padded on the left; `masked` unless said otherwise. */
  padding?: Padding;
  /** Active at every step. With the cache a step sees its new positions only: the prompt first, then one token at a time. */
  hooks?: Hooks;
  /** Prompts per batch, 64 unless said otherwise. */
  batchSize?: number;
  /** Whether a sequence ends at the end-of-text token (which is not returned); true unless said otherwise. */
  stopAtEos?: boolean;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Greedy continuations, in batches, with a cache of keys and values.
 *
 * @param prompts token ids, each no longer than the context less `maxNewTokens`
 * @returns the new tokens of each prompt
 */
export async function generate(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { batchSize = 64 } = options;
  if (prompts.length === 0) throw new UserError("no prompts: expected at least one sequence of tokens");
  const continuations: number[][] = [];
  for (let start = 0; start < prompts.length; start += batchSize) {
    continuations.push(...(await generateBatch(model, prompts.slice(start, start + batchSize), options)));
    options.onProgress?.(continuations.length, prompts.length);
    // Lets an interrupt, a heartbeat or a progress bar in between batches.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return continuations;
}

async function generateBatch(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, padding = "masked", hooks, stopAtEos = true }: GenerateOptions,
): Promise<number[][]> {
  const { config } = model;
  let batch = layOut(prompts, config, padding);
  const width = batch.length;
  if (width + maxNewTokens > config.nPositions) {
    throw new UserError(
      `a prompt of ${width} tokens and ${maxNewTokens} new ones do not fit the model's context of ${config.nPositions}: shorten one`,
    );
  }
  const cache: KeyValueCache = [];
  const continuations = prompts.map((): number[] => []);
  const finished = prompts.map(() => false);
  try {
    for (let step = 0; step < maxNewTokens && finished.includes(false); step++) {
      const past = step === 0 ? 0 : width + step - 1;
      const options = { padding, hooks, cache, past, lastPositionOnly: true, generating: true };
      const chosen = tf.tidy(() => tf.argMax(tf.squeeze(model.step(batch, options), [1]), -1));
      const tokens = await chosen.data<"int32">();
      chosen.dispose();
      const ids = Int32Array.from(tokens, (token, row) => {
        if (finished[row]) return config.eosTokenId;
        if (stopAtEos && token === config.eosTokenId) finished[row] = true;
        else continuations[row]?.push(token);
        return token;
      });
      const positions = Int32Array.from(batch.pads, (pad) => width + step - (padding === "masked" ? pad : 0));
      batch = { ...batch, ids, positions, length: 1 };
    }
  } finally {
    tf.dispose(cache.flatMap(({ keys, values }) => [keys, values]));
  }
  return continuations;
}
