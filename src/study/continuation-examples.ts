import { generateContinuations } from "../metrics/generation.js";
import type { Evaluation } from "../metrics/system.js";
import type { GPT2, Hooks } from "../model/index.js";
import { paperTable } from "../present/index.js";
import { likeliestNextTokens } from "../toxicity/next-tokens.js";

/** A model, or one with hooks, under the id that it has in the paper's table 3 ("gpt2", "value-vector", "dpo", …). */
export interface SpeakingSystem {
  id: string;
  label: string;
  model: GPT2;
  hooks?: Hooks;
}

/** What one system says after one prompt: a row of table 3. */
export interface ContinuationExample {
  /** PROMPT/SYSTEM, by which the paper's table 3 names its rows. */
  id: string;
  prompt: string;
  /** The system's label. */
  label: string;
  /** The five likeliest next tokens. */
  tokens: string[];
  /** The greedy continuation. */
  continuation: string;
}

/** The prompts of the paper's table 3, each with its key there, and then one's own. */
export function examplePrompts(own: readonly string[]): { key: string; prompt: string }[] {
  const published = paperTable("table-3").rows.map(({ id, prompt }): [string, string] => [
    String(id).replace(/\/.*/, ""),
    String(prompt),
  ]);
  return [
    ...Array.from(new Map(published), ([key, prompt]) => ({ key, prompt })),
    ...own.map((prompt, i) => ({ key: `own-${i + 1}`, prompt })),
  ];
}

/**
 * Table 3: the likeliest next tokens and the greedy continuation of each of {@link examplePrompts}, by one system after the
 * other, prompt by prompt.
 */
export async function continuationExamples(
  { tokenizer, generation }: Pick<Evaluation, "tokenizer" | "generation">,
  systems: readonly SpeakingSystem[],
  own: readonly string[],
): Promise<ContinuationExample[]> {
  const asked = examplePrompts(own);
  const prompts = asked.map(({ prompt }) => prompt);
  const said: ContinuationExample[][] = asked.map(() => []);
  for (const { id, label, model, hooks } of systems) {
    const texts = await generateContinuations(model, tokenizer, prompts, { ...generation, hooks });
    for (const [i, { promptIds, prompt, text }] of texts.entries()) {
      const tokens = await likeliestNextTokens(model, tokenizer, promptIds, { hooks });
      said[i]?.push({
        id: `${asked[i]?.key}/${id}`,
        ...{ prompt, label, tokens: tokens.map(({ token }) => token), continuation: text },
      });
    }
  }
  return said.flat();
}
