import { generate } from "../../model/generate.js";
import type { GPT2 } from "../../model/gpt2.js";
import type { Continuations } from "./make.js";

/**
 * The likeliest continuations, the preferred side of the paper's pairs (section 4.2, docs/recipes.md#preference-pairs).
 *
 * @param options how they are generated
 * @param options.minNewTokens no end of text before so many; 1 unless said otherwise, since a pair with an empty side
 *   teaches nothing
 * @param options.batchSize prompts per pass; the whole chunk unless said otherwise
 */
export function greedyContinuations(
  model: GPT2,
  {
    maxNewTokens,
    minNewTokens = 1,
    batchSize,
  }: { maxNewTokens: number; minNewTokens?: number; batchSize?: number },
): Continuations {
  return (prompts, { signal }) =>
    generate(model, prompts, {
      maxNewTokens,
      minNewTokens,
      batchSize: batchSize ?? prompts.length,
      ...(signal ? { signal } : {}),
    });
}
