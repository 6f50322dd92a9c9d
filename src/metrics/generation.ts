import { generate, type GPT2, type Hooks, type Tokenizer } from "../model/index.js";
import { UserError } from "@alignscope/base/errors";

export interface GenerationOptions {
  /** Tokens kept of each prompt, from its beginning (published: 32). */
  maxPromptTokens?: number;
  /** Tokens generated after each prompt (published: 20). */
  maxNewTokens?: number;
  /**
   * No text ends before so many new tokens (published: 0). A small model that ends its texts early is compared by what it
   * says, not by when it stops, since the published F1 counts the prompt's tokens as predicted.
   */
  minNewTokens?: number;
  /**
   * `"masked"` hides pads from attention. `"as-published"` does not: every prompt is filled from the left to the longest
   * one's length with end-of-text tokens that the model reads as text.
   */
  padding?: "masked" | "as-published";
  hooks?: Hooks;
  batchSize?: number;
  onProgress?: (done: number, total: number) => void;
}

/** A prompt, what was kept of it and what the model made of it. */
export interface Continuation {
  prompt: string;
  promptIds: number[];
  /** New tokens, up to the first end of text. */
  newIds: number[];
  /** The new tokens as text. */
  text: string;
}

/** Greedy continuations of prompts, as the paper's tables have them (docs/recipes.md#generation). */
export async function generateContinuations(
  model: GPT2,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  {
    maxPromptTokens = 32,
    maxNewTokens = 20,
    minNewTokens = 0,
    padding = "as-published",
    hooks,
    batchSize = 64,
    onProgress,
  }: GenerationOptions = {},
): Promise<Continuation[]> {
  const { eosTokenId } = tokenizer;
  const kept = prompts.map((prompt, i) => {
    const ids = tokenizer.encode(prompt).slice(0, maxPromptTokens);
    if (ids.length === 0)
      throw new UserError(`prompt ${i} is empty: expected at least one token; remove that row`);
    return ids;
  });
  // As published, the whole file is padded to one width before it is cut into batches.
  const width = kept.reduce((widest, ids) => Math.max(widest, ids.length), 0);
  const sequences =
    padding === "as-published"
      ? kept.map((ids) => [...Array.from({ length: width - ids.length }, () => eosTokenId), ...ids])
      : kept;
  const generated = await generate(model, sequences, {
    maxNewTokens,
    minNewTokens,
    padding,
    hooks,
    batchSize,
    stopAtEos: true,
    onProgress,
  });
  return prompts.map((prompt, i) => {
    const all = generated[i] as number[];
    const end = all.indexOf(eosTokenId);
    const newIds = end < 0 ? all : all.slice(0, end);
    return {
      prompt,
      promptIds: kept[i] as number[],
      newIds,
      text: tokenizer.decode(newIds, { skipSpecialTokens: true }),
    };
  });
}
