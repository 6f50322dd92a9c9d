import type { GPT2Config } from "../../model/index.js";

/*
 * Floating-point operations of a GPT-2's matrix products, a product [m, k]·[k, n] counted as 2mkn. Everything else (layer
 * norms, GELU, softmax) is left out, as is usual, so that figures can be compared between implementations.
 */

/** Operations of one product `[m, k]·[k, n]`. */
export function productFlops(m: number, k: number, n: number): number {
  return 2 * m * k * n;
}

interface Pass {
  batch: number;
  /** New positions per sequence. */
  positions: number;
  /** Positions in the cache of keys and values. */
  past?: number;
  /** Positions per sequence whose logits are computed; all unless said otherwise. */
  unembedded?: number;
}

/**
 * A forward pass: 12·dModel² weights per block and the unembedding, each met once per token, and attention's two
 * products over all keys (the causal half that is masked is computed, and counted, as well).
 */
export function forwardFlops(config: GPT2Config, pass: Pass): number {
  const { nLayer, dModel, dMlp, vocabSize } = config;
  const { batch, positions, past = 0, unembedded = positions } = pass;
  const block = productFlops(batch * positions, dModel, 4 * dModel + 2 * dMlp);
  const attention = 2 * productFlops(batch * positions, dModel, positions + past);
  return nLayer * (block + attention) + productFlops(batch * unembedded, dModel, vocabSize);
}

/** Forward and backward: each product again twice, for the slope of either factor. */
export function trainingFlops(config: GPT2Config, pass: Pass): number {
  return 3 * forwardFlops(config, pass);
}

/** A continuation with a cache: the prompt at once, then token by token; the last one is chosen and not read. */
export function generationFlops(
  config: GPT2Config,
  batch: number,
  prompt: number,
  newTokens: number,
): number {
  let flops = forwardFlops(config, { batch, positions: prompt, unembedded: 1 });
  for (let step = 1; step < newTokens; step++)
    flops += forwardFlops(config, { batch, positions: 1, past: prompt + step - 1 });
  return flops;
}

/**
 * An iteration of PPLM with a horizon of 1, on texts of so many tokens: the last one, its expected successor's embedding and
 * that successor, forward, and again for the gradient, which parameters have no part in.
 */
export function perturbationFlops(config: GPT2Config, batch: number, length: number): number {
  const last = forwardFlops(config, { batch, positions: 1, past: length - 1 });
  const expected = productFlops(batch, config.vocabSize, config.dModel);
  const next = forwardFlops(config, { batch, positions: 1, past: length, unembedded: 0 });
  return 2 * (last + expected + next);
}
