import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model/index.js";
import { checkLengths, without } from "../../model/generate.js";
import { sampler, type Sampler } from "../../model/sampling.js";
import { largest } from "../../toxicity/vocabulary.js";
import { checkAttribute, type AttributeModel } from "./attribute.js";
import { AttributeHead } from "./objective.js";
import { settingsOf, type PPLMOptions, type PPLMSettings } from "./options.js";
import { checkRoom, fuse } from "./perturb.js";
import { PerturbedBatch } from "./perturbed-batch.js";

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
  /** No row ends before so many tokens; 0 unless said otherwise. */
  minNewTokens?: number;
  /** Told, of each prompt that is through, the mean over its tokens of KL(perturbed ‖ unperturbed) for the next one, in nats. */
  onDivergence?: (prompt: number, kl: number) => void;
  /** Told after every batch its continuations, and the index of its first prompt. */
  onBatch?: (continuations: number[][], first: number) => void | Promise<void>;
}

/**
 * Continuations that PPLM steers towards an attribute (Dathathri et al. 2020, discriminator mode; docs/recipes.md#pplm), in
 * batches.
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
    minNewTokens = 0,
    stopAtEos = true,
    signal,
    onProgress,
    onDivergence,
    onBatch,
    ...own
  } = options;
  const settings = settingsOf(own);
  checkLengths({ batchSize, maxNewTokens, minNewTokens });
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
        minNewTokens,
        stopAtEos,
        signal,
        onToken: (done) => onProgress?.(first * maxNewTokens + done, total),
        onDivergence: (row, kl) => onDivergence?.(first + row, kl),
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
  minNewTokens: number;
  stopAtEos: boolean;
  signal: AbortSignal | undefined;
  /** Told how many of the batch's tokens are through. */
  onToken: (done: number) => void;
  onDivergence: (row: number, kl: number) => void;
}

async function generateBatch(
  model: GPT2,
  head: AttributeHead,
  prompts: readonly (readonly number[])[],
  options: BatchOptions,
): Promise<number[][]> {
  const { settings, samplers, maxNewTokens, stopAtEos, signal, onToken } = options;
  const continuations = prompts.map((): number[] => []);
  const divergences = prompts.map((): number[] => []);
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
      const { tokens, divergence } = await chooseTokens(batch, {
        ...settings,
        samplers: samplers && rows.map((row) => samplers[row] as Sampler),
        excluded: token < options.minNewTokens ? model.config.eosTokenId : undefined,
      });
      rows.forEach((row, i) => divergences[row]?.push(divergence[i] as number));
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
  divergences.forEach((own, row) =>
    options.onDivergence(row, own.reduce((sum, kl) => sum + kl, 0) / own.length),
  );
  return continuations;
}

/** Lets an interrupt, a heartbeat or a progress bar in, and stops if the signal says so. */
async function interruption(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}

/** Each row's next token, any but `excluded`, from its fused distribution; and KL(perturbed ‖ unperturbed) of the two. */
async function chooseTokens(
  batch: PerturbedBatch,
  {
    temperature,
    gmScale,
    topK,
    samplers,
    excluded,
  }: PPLMSettings & { samplers: Sampler[] | undefined; excluded: number | undefined },
): Promise<{ tokens: number[]; divergence: ArrayLike<number> }> {
  const [chosen, kl] = tf.tidy((): [tf.Tensor, tf.Tensor] => {
    const { perturbed, unperturbed } = batch.next(temperature);
    const all = fuse(perturbed, unperturbed, gmScale);
    const fused = excluded === undefined ? all : without(all, excluded);
    const kl = tf.sum(tf.mul(tf.exp(perturbed), tf.sub(perturbed, unperturbed)), 1);
    return [samplers ? fused : tf.argMax(fused, -1), kl];
  });
  const [data, divergence] = await Promise.all([chosen.data(), kl.data()]);
  const width = chosen.size / batch.rows;
  tf.dispose([chosen, kl]);
  if (!samplers) return { tokens: [...data], divergence };
  const tokens = samplers.map((draw, row) => {
    const own = (data as Float32Array).subarray(row * width, (row + 1) * width);
    const best = largest(own, topK);
    return best[draw(Float32Array.from(best, (token) => own[token] as number))] as number;
  });
  return { tokens, divergence };
}
