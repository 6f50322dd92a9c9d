import type { Evaluation } from "../metrics/system.js";
import type { ProtocolName, Tokenizer } from "../model/index.js";
import { openScorer } from "../scorers/index.js";
import { readPassages, readPerplexityText, readPrompts } from "./texts.js";

/** What a notebook says of an evaluation, by the names of its parameters. */
export interface EvaluationParameters {
  /** Prompts that tempt a toxic answer: registry name or path, and how many of them. */
  prompts: string;
  promptCount: number;
  /** Passages with their true continuation, and how many of them. */
  continuations: string;
  continuationCount: number;
  /** The text for perplexity, and how many of its tokens at most. */
  perplexityText: string;
  perplexityTokens: number;
  scorer: string;
  padding: "masked" | "as-published";
  protocol: ProtocolName;
  maxNewTokens: number;
  minNewTokens: number;
  /** Texts per forward pass. */
  batchSize: number;
  seed: number;
}

/**
 * Reads the texts on which systems are compared and opens the scorer: what `measureSystem` measures on.
 *
 * @example const evaluation = await openEvaluation(study, { prompts, promptCount, continuations, … });
 * @throws UserError where a text or the scorer cannot be had
 */
export async function openEvaluation(
  { tokenizer }: { tokenizer: Tokenizer },
  { padding, protocol, maxNewTokens, minNewTokens, batchSize, ...named }: EvaluationParameters,
): Promise<Evaluation> {
  const judge = await openScorer(named.scorer, { protocol });
  const severalAttributes = judge.attributeNames.length > 1;
  const text = tokenizer.encode(await readPerplexityText(named.perplexityText));
  return {
    tokenizer,
    prompts: await readPrompts(named.prompts, { limit: named.promptCount }),
    passages: await readPassages(named.continuations, { limit: named.continuationCount }),
    textIds: text.slice(0, named.perplexityTokens),
    scorer: named.scorer,
    judge,
    toxicityJudge: severalAttributes ? await openScorer(named.scorer, { reading: "toxicity" }) : undefined,
    generation: { padding, protocol, maxNewTokens, minNewTokens, batchSize },
    seed: named.seed,
  };
}
