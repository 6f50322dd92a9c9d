import type { ModelShape } from "../../data/model-shape.js";

/*
 * What passes of a GPT-2 cost, in floating-point operations of its matrix products, one multiplication and one addition
 * per weight that a token meets: 2 per parameter and token. Attention's products over the past, layer norms and GELU are
 * left out; at GPT-2's sizes they add 15% at most.
 */

/** A part of a notebook's work. */
export interface Work {
  what: string;
  /** Floating-point operations where the tensors live. */
  flops: number;
  /** Passes through the model that wait for one another, a backward pass counted as two. */
  passes: number;
  /** Operations of the fits and decompositions that run in float64 on the host's one core, whatever the device is. */
  hostFlops?: number;
}

/** Operations of one token in all blocks: 2 · 12 d² per block. */
export function blockFlops({ layers, width }: ModelShape): number {
  return 2 * layers * 12 * width ** 2;
}

/** Operations of one token's logits: 2 · vocabulary · d. */
export function unembeddingFlops({ vocabulary, width }: ModelShape): number {
  return 2 * vocabulary * width;
}

/** Operations of `tokens` read, forward; the logits of `unembedded` of them, all unless said otherwise. */
export function forwardFlops(shape: ModelShape, tokens: number, unembedded = tokens): number {
  return tokens * blockFlops(shape) + unembedded * unembeddingFlops(shape);
}

/** Forward and backward with gradients of parameters: 6 per parameter and token. */
export function trainingFlops(shape: ModelShape, tokens: number): number {
  return 3 * forwardFlops(shape, tokens);
}

/** Texts that are read, so many per pass. */
export function reading(
  shape: ModelShape,
  what: string,
  { texts, tokens, batch, logits = true }: { texts: number; tokens: number; batch: number; logits?: boolean },
): Work {
  const all = texts * tokens;
  return { what, flops: forwardFlops(shape, all, logits ? all : 0), passes: Math.ceil(texts / batch) };
}

/** Continuations, the past kept: the prompt at once, then token by token. */
export function generating(
  shape: ModelShape,
  what: string,
  { texts, prompt, tokens, batch }: { texts: number; prompt: number; tokens: number; batch: number },
): Work {
  const flops = texts * (forwardFlops(shape, prompt, 1) + forwardFlops(shape, Math.max(0, tokens - 1)));
  return { what, flops, passes: Math.ceil(texts / batch) * tokens };
}

/**
 * PPLM: for each token `iterations` times the last token and, for the horizon, its expected successor, forward; then the
 * gradient with respect to the past, which costs as much again; the expected embedding is one more product with the
 * embedding matrix. One perturbed and one unperturbed pass choose the token.
 */
export function perturbing(
  shape: ModelShape,
  what: string,
  {
    texts,
    prompt,
    tokens,
    iterations,
    batch,
  }: { texts: number; prompt: number; tokens: number; iterations: number; batch: number },
): Work {
  // Logits of the one pass, the expected embedding in place of them in the other.
  const iteration = 2 * 2 * forwardFlops(shape, 1);
  const flops =
    texts * (forwardFlops(shape, prompt, 1) + tokens * (iterations * iteration + 2 * forwardFlops(shape, 1)));
  return { what, flops, passes: Math.ceil(texts / batch) * tokens * (iterations * 4 + 2) };
}

/** Pairs that are trained on, both sides padded to `tokens`. */
export function training(
  shape: ModelShape,
  what: string,
  { pairs, tokens, batch }: { pairs: number; tokens: number; batch: number },
): Work {
  return { what, flops: trainingFlops(shape, 2 * pairs * tokens), passes: 3 * Math.ceil(pairs / batch) };
}

/** Texts read, and the gradient with respect to activations, which costs as much again: no weight has one. */
export function attributing(
  shape: ModelShape,
  what: string,
  { texts, tokens, batch }: { texts: number; tokens: number; batch: number },
): Work {
  return { what, flops: 2 * forwardFlops(shape, texts * tokens), passes: 3 * Math.ceil(texts / batch) };
}

/**
 * The perplexities of one text under many interventions on the last block: one pass through the blocks, then an
 * unembedding for each.
 */
export function unembedding(
  shape: ModelShape,
  what: string,
  { tokens, times, window }: { tokens: number; times: number; window: number },
): Work {
  const flops = forwardFlops(shape, tokens, times * tokens);
  return { what, flops, passes: Math.ceil(tokens / window) * (1 + times / 8) };
}

/** The same work so many times over, one after the other. */
export function repeated(times: number, { what, flops, passes, hostFlops = 0 }: Work): Work {
  return { what, flops: times * flops, passes: times * passes, hostFlops: times * hostFlops };
}

/** Work on the host alone. */
export function onHost(what: string, hostFlops: number): Work {
  return { what, flops: 0, passes: 0, hostFlops };
}
