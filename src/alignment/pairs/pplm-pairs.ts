import type { GPT2 } from "../../model/gpt2.js";
import type { Tokenizer } from "../../model/tokenizer.js";
import type { AttributeModel, PPLMOptions } from "../pplm/index.js";
import { greedyContinuations } from "./greedy.js";
import { makePairs, type MadePairs, type MakePairsOptions } from "./make.js";
import { perturbedContinuations } from "./perturbed.js";
import { readPairPrompts, type Prompts } from "./prompts.js";

/** What decides both sides of the paper's pairs; kept beside them, under these names. */
export interface PairRecipe {
  /** Beginnings of sentences: a name of the registry or a path, as {@link readPairPrompts} takes it. */
  pairPrompts: string;
  /** How many pairs; of all prompts unless said otherwise. */
  pairCount?: number;
  /** Tokens kept of each beginning. */
  pairPromptTokens: number;
  /** Tokens of each continuation, at most. */
  pairNewTokens: number;
  /** What PPLM steers the rejected side towards. */
  steering: AttributeModel;
  pplm: PPLMOptions;
  /** Whether PPLM's tokens are drawn or the likeliest; the paper does not say. */
  negatives: "sampled" | "greedy";
}

/** How they are made and where they go. */
export interface MakePplmPairsOptions extends Omit<
  MakePairsOptions,
  "prompts" | "positive" | "negative" | "tokenizer"
> {
  /** Told of the prompts before the first pair is made. */
  onPrompts?: (prompts: Prompts) => void;
}

/**
 * Makes pairs as the paper does (section 4.2): of each prompt what the model says by itself, greedily, which is preferred,
 * and what it says while PPLM pushes it towards toxicity. As {@link makePairs}, it goes on where it stopped.
 *
 * @param options.settings what else decides the pairs: model and backend, as text
 * @throws UserError where the prompts cannot be read, or the file that is there was made otherwise
 * @example
 * await makePplmPairs({ model, tokenizer }, { pairPrompts: "lab-prefixes", pairPromptTokens: 32, pairNewTokens: 20,
 *   steering: attributeOfProbe(probe), pplm: PPLM_DEFAULTS, negatives: "sampled" }, { path: "pairs.jsonl", scorer, seed: 42,
 *   settings: { model: await modelChecksum(folder) } });
 */
export async function makePplmPairs(
  { model, tokenizer }: { model: GPT2; tokenizer: Tokenizer },
  recipe: PairRecipe,
  { onPrompts, settings, ...options }: MakePplmPairsOptions,
): Promise<MadePairs> {
  const { pairPrompts, pairCount, pairPromptTokens, pairNewTokens: maxNewTokens } = recipe;
  const read = await readPairPrompts(pairPrompts, {
    tokenizer,
    seed: options.seed,
    maxPromptTokens: pairPromptTokens,
    ...(pairCount === undefined ? {} : { count: pairCount }),
  });
  onPrompts?.(read);
  return makePairs({
    ...options,
    prompts: read.prompts,
    positive: greedyContinuations(model, { maxNewTokens }),
    negative: perturbedContinuations(model, {
      ...recipe.pplm,
      attribute: recipe.steering,
      maxNewTokens,
      sample: recipe.negatives === "sampled",
    }),
    tokenizer,
    settings: { ...recipe, ...settings },
  });
}
