import * as tf from "@tensorflow/tfjs-core";
import { checkPositive } from "@alignscope/base/checks";
import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "./gpt2.js";
import type { Hooks } from "./hooks.js";
import { KeyValueCache } from "./key-values.js";
import { layOut, type Batch, type Padding } from "./padding.js";
import { sampler, type Sampler, type SamplingOptions } from "./sampling.js";

export interface GenerateOptions {
  maxNewTokens: number;
  /** The end-of-text token is not chosen before so many new tokens; 0 unless said otherwise (Hugging Face's `min_new_tokens`). */
  minNewTokens?: number;
  /** How tokens are drawn; unless given, each is the likeliest one (greedy). */
  sample?: SamplingOptions;
  /** How prompts of unequal length are padded on the left; `masked` unless said otherwise. */
  padding?: Padding;
  /** Active at every step. With the cache a step sees its new positions only: the prompt first, then one token at a time. */
  hooks?: Hooks;
  /** Prompts per batch, 64 unless said otherwise. */
  batchSize?: number;
  /** Whether a sequence ends at the end-of-text token (which is not returned); true unless said otherwise. */
  stopAtEos?: boolean;
  /** Stops between two tokens; the generation is then rejected with its reason. */
  signal?: AbortSignal;
  /** Told after every batch how many prompts are through. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Continuations of prompts, in batches, with a cache of keys and values.
 *
 * @param prompts token ids, each no longer than the context less `maxNewTokens`
 * @returns the new tokens of each prompt
 *
 * @example
 * const greedy = await generate(model, prompts, { maxNewTokens: 20 });
 * const drawn = await generate(model, prompts, { maxNewTokens: 20, sample: { seed: 1, temperature: 0.8, topK: 40 } });
 */
export async function generate(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<number[][]> {
  const { batchSize = 64, maxNewTokens, minNewTokens = 0, sample } = options;
  checkLengths({ batchSize, maxNewTokens, minNewTokens });
  if (prompts.length === 0) throw new UserError("no prompts: expected at least one sequence of tokens");
  const continuations: number[][] = [];
  for (let start = 0; start < prompts.length; start += batchSize) {
    const batch = prompts.slice(start, start + batchSize);
    const samplers = sample && batch.map((_, row) => sampler(sample, start + row));
    continuations.push(...(await generateBatch(model, batch, options, samplers)));
    options.onProgress?.(continuations.length, prompts.length);
    // Lets an interrupt, a heartbeat or a progress bar in between batches.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return continuations;
}

/** Refuses numbers of tokens and prompts that make no sense. */
export function checkLengths({
  batchSize,
  maxNewTokens,
  minNewTokens,
}: Required<Pick<GenerateOptions, "batchSize" | "maxNewTokens" | "minNewTokens">>): void {
  checkPositive({ batchSize, maxNewTokens });
  if (!(Number.isInteger(minNewTokens) && minNewTokens >= 0 && minNewTokens <= maxNewTokens)) {
    throw new UserError(`minNewTokens: got ${minNewTokens}, expected 0 to maxNewTokens (${maxNewTokens})`);
  }
}

async function generateBatch(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  { maxNewTokens, minNewTokens = 0, padding = "masked", hooks, stopAtEos = true, signal }: GenerateOptions,
  samplers: Sampler[] | undefined,
): Promise<number[][]> {
  const { config } = model;
  let batch = layOut(prompts, config, padding);
  const width = batch.length;
  if (width + maxNewTokens > config.nPositions) {
    throw new UserError(
      `a prompt of ${width} tokens and ${maxNewTokens} new ones do not fit the model's context of ${config.nPositions}: shorten one`,
    );
  }
  // The last token that is generated is never attended to.
  const cache = KeyValueCache.allocate(config, batch.pads, width + maxNewTokens - 1);
  const continuations = prompts.map((): number[] => []);
  const finished = prompts.map(() => false);
  try {
    for (let step = 0; step < maxNewTokens && finished.includes(false); step++) {
      signal?.throwIfAborted();
      const excluded = step < minNewTokens ? config.eosTokenId : undefined;
      const tokens = await nextTokens(model, batch, cache, { hooks, samplers, excluded });
      const ids = Int32Array.from(tokens, (token, row) => {
        if (finished[row]) return config.eosTokenId;
        if (stopAtEos && token === config.eosTokenId) finished[row] = true;
        else continuations[row]?.push(token);
        return token;
      });
      const positions = Int32Array.from(batch.pads, (pad) => width + step - pad);
      batch = { ...batch, ids, positions, length: 1 };
    }
  } finally {
    cache.dispose();
  }
  return continuations;
}

/** Runs the new positions and chooses each row's next token, any but `excluded`. */
async function nextTokens(
  model: GPT2,
  batch: Batch,
  cache: KeyValueCache,
  { hooks, samplers, excluded }: { hooks?: Hooks; samplers?: Sampler[]; excluded?: number },
): Promise<Int32Array> {
  const options = { hooks, cache, growing: true, lastPositionOnly: true, generating: true };
  const chosen = tf.tidy(() => {
    const all = tf.squeeze<tf.Tensor2D>(model.step(batch, options), [1]);
    const logits = excluded === undefined ? all : without(all, excluded);
    return samplers ? logits : tf.argMax(logits, -1);
  });
  const data = await chosen.data();
  chosen.dispose();
  if (!samplers) return data as Int32Array;
  const { vocabSize } = model.config;
  return Int32Array.from(samplers, (draw, row) =>
    draw((data as Float32Array).subarray(row * vocabSize, (row + 1) * vocabSize)),
  );
}

/** Logits, or log-probabilities, `[rows, vocab]`, with which `token` is never chosen. */
export function without(logits: tf.Tensor2D, token: number): tf.Tensor2D {
  const penalty = new Float32Array(logits.shape[1]);
  penalty[token] = 1e9; // not infinity: not every GPU keeps it
  return tf.tidy(() => tf.sub<tf.Tensor2D>(logits, tf.tensor2d(penalty, [1, penalty.length])));
}
