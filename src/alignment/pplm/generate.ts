import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../data/errors";
import type { GPT2 } from "../../model";
import { sampler, type Sampler } from "../../model/sampling";
import { largest } from "../../toxicity/vocabulary";
import { checkAttribute, type AttributeModel } from "./attribute";
import { AttributeHead } from "./objective";
import { settingsOf, type PPLMOptions, type PPLMSettings } from "./options";
import { checkRoom, fuse } from "./perturb";
import { PerturbedBatch } from "./perturbed-batch";

export interface PerturbedGenerationOptions extends PPLMOptions {
  /** What the text is steered towards. */
  attribute: AttributeModel;
  maxNewTokens: number;
  /** Draws each token from the topK of the fused distribution; unless given, each is the likeliest one (greedy). */
  sample?: { seed: number };
  /** The stream of random numbers of each prompt; its index unless given. A part of a list then draws what the whole draws. */
  streams?: readonly number[];
  /** Prompts per batch, 64 unless said otherwise. */
  batchSize?: number;
  /** Whether a row ends at the end-of-text token (which is not returned); true unless said otherwise. */
  stopAtEos?: boolean;
  /** Stops between two iterations; the generation is then rejected with its reason. */
  signal?: AbortSignal;
  /** Told after every token of a batch how many tokens of all rows are through; rows that have ended count as whole. */
  onProgress?: (done: number, total: number) => void;
  /** Told after every batch its continuations, and the index of its first prompt. */
  onBatch?: (continuations: number[][], first: number) => void | Promise<void>;
}

/**
 * Continuations that PPLM steers towards an attribute (Dathathri et al. 2020, discriminator mode; paper.md A7), in batches.
 *
 * Before each token the keys and values of all earlier ones are moved down the gradient of the attribute's loss,
 * `iterations` times; they stay as they have been moved. Each row is as it would be alone.
 *
 * @param prompts token ids; the official pipeline begins each with end-of-text
 * @returns the new tokens of each prompt
 * @throws UserError for options that make no sense, and prompts that do not fit the context
 *
 * @example
 * const attribute = attributeOfProbe(probe);
 * const negatives = await generatePerturbed(model, prompts, { attribute, maxNewTokens: 20, iterations: 10, sample: { seed: 1 } });
 */
export async function generatePerturbed(
  model: GPT2,
  prompts: readonly (readonly number[])[],
  { attribute, ...options }: PerturbedGenerationOptions,
): Promise<number[][]> {
  const {
    maxNewTokens,
    batchSize = 64,
    sample,
    streams,
    stopAtEos,
    signal,
    onProgress,
    onBatch,
    ...own
  } = options;
  const settings = settingsOf(own);
  for (const [name, value] of Object.entries({ batchSize, maxNewTokens })) {
    if (!(Number.isInteger(value) && value >= 1)) {
      throw new UserError(`${name}: got ${value}, expected a positive integer`);
    }
  }
  checkAttribute(attribute, model.config.dModel);
  checkRoom(model, prompts, maxNewTokens, settings);
  const head = new AttributeHead(attribute);
  const total = prompts.length * maxNewTokens;
  const continuations: number[][] = [];
  try {
    for (let first = 0; first < prompts.length; first += batchSize) {
      const batch = prompts.slice(first, first + batchSize);
      const samplers =
        sample && batch.map((_, row) => sampler(sample, streams?.[first + row] ?? first + row));
      const written = await generateBatch(model, head, batch, {
        settings,
        samplers,
        maxNewTokens,
        stopAtEos: stopAtEos ?? true,
        signal,
        onToken: (done) => onProgress?.(first * maxNewTokens + done, total),
      });
      continuations.push(...written);
      await onBatch?.(written, first);
    }
  } finally {
    head.dispose();
  }
  return continuations;
}

interface BatchOptions {
  settings: PPLMSettings;
  samplers: Sampler[] | undefined;
  maxNewTokens: number;
  stopAtEos: boolean;
  signal: AbortSignal | undefined;
  /** Told how many of the batch's tokens are through. */
  onToken: (done: number) => void;
}

async function generateBatch(
  model: GPT2,
  head: AttributeHead,
  prompts: readonly (readonly number[])[],
  { settings, samplers, maxNewTokens, stopAtEos, signal, onToken }: BatchOptions,
): Promise<number[][]> {
  const continuations = prompts.map((): number[] => []);
  /** Which prompt each row of the batch continues. */
  let rows = prompts.map((_, row) => row);
  let batch = PerturbedBatch.begin(model, head, prompts, {
    newTokens: maxNewTokens,
    horizon: settings.horizon,
  });
  try {
    for (let token = 0; token < maxNewTokens; token++) {
      const moving = batch.hasPast && settings.stepSize > 0 && token < settings.gradLength;
      for (let i = 0; moving && i < settings.iterations; i++) {
        const { crossEntropy, kl, gradientNorms } = batch.iterate(settings);
        tf.dispose([crossEntropy, kl, ...gradientNorms]);
        await interruption(signal);
      }
      const tokens = await chooseTokens(
        batch,
        settings,
        samplers && rows.map((row) => samplers[row] as Sampler),
      );
      await interruption(signal);
      const ended = tokens.map((id) => stopAtEos && id === model.config.eosTokenId);
      rows.forEach((row, i) => {
        if (!ended[i]) continuations[row]?.push(tokens[i] as number);
      });
      const left = rows.map((_, i) => i).filter((i) => !ended[i]);
      onToken((prompts.length - left.length) * maxNewTokens + left.length * (token + 1));
      if (left.length === 0 || token === maxNewTokens - 1) break;
      if (left.length < rows.length) {
        const smaller = batch.keep(left);
        batch.dispose();
        batch = smaller;
        rows = left.map((i) => rows[i] as number);
      }
      batch.append(left.map((i) => tokens[i] as number));
    }
  } finally {
    batch.dispose();
  }
  return continuations;
}

/** Lets an interrupt, a heartbeat or a progress bar in, and stops if the signal says so. */
async function interruption(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** Each row's next token, from its fused distribution. */
async function chooseTokens(
  batch: PerturbedBatch,
  { temperature, gmScale, topK }: PPLMSettings,
  samplers: Sampler[] | undefined,
): Promise<number[]> {
  const chosen = tf.tidy(() => {
    const { perturbed, unperturbed } = batch.next(temperature);
    const fused = fuse(perturbed, unperturbed, gmScale);
    return samplers ? fused : tf.argMax(fused, -1);
  });
  const data = await chosen.data();
  const width = chosen.size / batch.rows;
  chosen.dispose();
  if (!samplers) return [...data];
  return samplers.map((draw, row) => {
    const own = (data as Float32Array).subarray(row * width, (row + 1) * width);
    const best = largest(own, topK);
    return best[draw(Float32Array.from(best, (token) => own[token] as number))] as number;
  });
}
