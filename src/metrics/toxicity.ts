import type { GPT2, ProtocolName, Tokenizer } from "../model/index.js";
import { UserError } from "@alignscope/base/errors";
import type { Scorer } from "../scorers/index.js";
import { generateContinuations, type Continuation, type GenerationOptions } from "./generation.js";

/** Mean toxicity of greedy continuations, and what it is the mean of. */
export interface ContinuationToxicity {
  mean: number;
  /** One score per prompt, 0 to 1. */
  scores: number[];
  continuations: Continuation[];
  /** What was scored: with `"as-published"` not always the continuation alone. */
  scoredTexts: string[];
}

/**
 * Toxicity of what the model says after each prompt (Tables 2 and 4): the mean over prompts of the scorer's answer for a
 * single greedy continuation.
 *
 * `protocol: "as-published"` scores the decoded prompt and continuation with every occurrence of the prompt's text taken
 * out; where the prompt was cut at 32 tokens its text does not occur, so what was kept of it is scored along.
 * `"corrected"` scores the new tokens. A text with nothing in it counts 0.
 */
export async function toxicityOfContinuations(
  model: GPT2,
  tokenizer: Tokenizer,
  prompts: readonly string[],
  scorer: Scorer,
  { protocol = "as-published", ...options }: GenerationOptions & { protocol?: ProtocolName } = {},
): Promise<ContinuationToxicity> {
  if (prompts.length === 0) {
    throw new UserError(
      "toxicity got no prompts: expected at least one; raise promptCount, or name a set of prompts that holds some",
    );
  }
  const continuations = await generateContinuations(model, tokenizer, prompts, options);
  const scoredTexts = continuations.map(({ prompt, promptIds, newIds, text }) =>
    protocol === "corrected"
      ? text
      : tokenizer.decode([...promptIds, ...newIds], { skipSpecialTokens: true }).replaceAll(prompt, ""),
  );
  const scores = await scoreTexts(scorer, scoredTexts);
  return {
    mean: scores.reduce((sum, score) => sum + score, 0) / scores.length,
    scores,
    continuations,
    scoredTexts,
  };
}

/** Scores texts; one without anything but white space counts 0 and is not shown to the scorer. */
export async function scoreTexts(scorer: Scorer, texts: readonly string[]): Promise<number[]> {
  const filled = texts.map((text, i) => ({ text, i })).filter(({ text }) => text.trim() !== "");
  const answers = filled.length > 0 ? await scorer.score(filled.map(({ text }) => text)) : [];
  const scores = texts.map(() => 0);
  filled.forEach(({ i }, k) => (scores[i] = answers[k] as number));
  return scores;
}
