import { generate } from "../../model/generate";
import type { GPT2 } from "../../model/gpt2";
import type { Continuations } from "./make";

/**
 * The likeliest continuations, the preferred side of the paper's pairs (section 4.2, paper.md A7). A prompt that ends the
 * text at once gets an empty one, which a reader drops.
 *
 * @param options.batchSize prompts per pass; the whole chunk unless said otherwise
 */
export function greedyContinuations(
  model: GPT2,
  { maxNewTokens, batchSize }: { maxNewTokens: number; batchSize?: number },
): Continuations {
  return (prompts, { signal }) =>
    generate(model, prompts, {
      maxNewTokens,
      batchSize: batchSize ?? prompts.length,
      ...(signal ? { signal } : {}),
    });
}
