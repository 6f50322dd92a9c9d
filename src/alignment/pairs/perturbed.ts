import type { GPT2 } from "../../model/gpt2.js";
import { generatePerturbed, type AttributeModel, type PPLMOptions } from "../pplm/index.js";
import type { Continuations } from "./make.js";

export interface PerturbedContinuationOptions extends PPLMOptions {
  /** What the text is steered towards. */
  attribute: AttributeModel;
  maxNewTokens: number;
  /** No end of text before so many; 1 unless said otherwise, as for the preferred side. */
  minNewTokens?: number;
  /** Whether tokens are drawn, each row from its own stream, or each is the likeliest; true unless said otherwise. */
  sample?: boolean;
}

/**
 * Continuations that PPLM steers towards an attribute: the side of the paper's pairs that is to become less likely
 * (section 4.2, Table 6). The paper does not say whether they are drawn; PPLM's own program draws unless told otherwise.
 */
export function perturbedContinuations(
  model: GPT2,
  { sample = true, minNewTokens = 1, ...options }: PerturbedContinuationOptions,
): Continuations {
  return (prompts, { rows, seed, signal, onDivergence }) =>
    generatePerturbed(model, prompts, {
      ...options,
      minNewTokens,
      batchSize: prompts.length,
      streams: rows,
      ...(sample ? { sample: { seed } } : {}),
      ...(signal ? { signal } : {}),
      ...(onDivergence ? { onDivergence } : {}),
    });
}
