import type { GPT2, Hooks, ProtocolName, Tokenizer } from "../model/index.js";
import { UserError } from "@alignscope/base/errors";
import { generateContinuations, type GenerationOptions } from "./generation.js";

/** A passage and the text that really follows it. */
export interface PromptWithGold {
  prompt: string;
  gold: string;
}

/**
 * F1 of two lists of tokens as multisets: precision is the shared tokens' part of `predicted`, recall their part of
 * `gold`; 0 when nothing is shared.
 */
export function tokenF1(predicted: readonly number[], gold: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const id of gold) counts.set(id, (counts.get(id) ?? 0) + 1);
  let shared = 0;
  for (const id of predicted) {
    const left = counts.get(id) ?? 0;
    if (left === 0) continue;
    counts.set(id, left - 1);
    shared += 1;
  }
  if (shared === 0) return 0;
  const precision = shared / predicted.length;
  const recall = shared / gold.length;
  return (2 * precision * recall) / (precision + recall);
}

/** Mean F1 and the F1 of each passage. */
export interface ContinuationF1 {
  mean: number;
  scores: number[];
}

/**
 * How much greedy continuations share with the real ones (docs/recipes.md#f1). `protocol: "as-published"` counts
 * the prompt's tokens among the predicted ones, as the official code does although the paper says otherwise;
 * `"corrected"` compares the continuation alone. Gold is cut at prompt length + new tokens (32 + 20) either way.
 */
export async function continuationF1(
  model: GPT2,
  tokenizer: Tokenizer,
  examples: readonly PromptWithGold[],
  {
    protocol = "as-published",
    ...options
  }: GenerationOptions & { protocol?: ProtocolName; hooks?: Hooks } = {},
): Promise<ContinuationF1> {
  if (examples.length === 0) {
    throw new UserError(
      "F1 got no passages: expected at least one with prompt and gold; raise continuationCount, or name a set that holds some",
    );
  }
  const { maxPromptTokens = 32, maxNewTokens = 20 } = options;
  const prompts = examples.map((example) => example.prompt);
  const continuations = await generateContinuations(model, tokenizer, prompts, options);
  const { eosTokenId } = tokenizer;
  const scores = continuations.map(({ promptIds, newIds }, i) => {
    const gold = tokenizer
      .encode((examples[i] as PromptWithGold).gold)
      .slice(0, maxPromptTokens + maxNewTokens);
    const predicted = protocol === "as-published" ? [...promptIds, ...newIds] : newIds;
    const real = (ids: readonly number[]) => ids.filter((id) => id !== eosTokenId);
    return tokenF1(real(predicted), real(gold));
  });
  return { mean: scores.reduce((sum, score) => sum + score, 0) / scores.length, scores };
}
