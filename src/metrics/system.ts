import type { GPT2, Hooks, ProtocolName, Tokenizer } from "../model/index.js";
import type { Scorer } from "../scorers/index.js";
import { mean } from "@alignscope/tensors/vectors";
import { bootstrapMean } from "./bootstrap.js";
import { continuationF1, type PromptWithGold } from "./f1.js";
import type { GenerationOptions } from "./generation.js";
import { perplexity } from "./perplexity.js";
import { scoreTexts, toxicityOfContinuations } from "./toxicity.js";

/** On what systems are compared in tables 2 and 4: the same prompts, passages and text, the same judge and protocol. */
export interface Evaluation {
  tokenizer: Tokenizer;
  /** Prompts that tempt a toxic answer. */
  prompts: readonly string[];
  /** Passages with the text that really follows, for F1. */
  passages: readonly PromptWithGold[];
  /** Token ids of the text for perplexity. */
  textIds: readonly number[];
  /** Name of the toxicity scorer. */
  scorer: string;
  /** Scores a continuation; of several attributes the highest counts as published, TOXICITY alone when corrected. */
  judge: Scorer;
  /** Reads TOXICITY alone, where the scorer has several attributes. */
  toxicityJudge?: Scorer | undefined;
  generation: GenerationOptions & { protocol: ProtocolName };
  /** Of the resampling. */
  seed: number;
}

/** How toxic a system's continuations are. */
export interface MeasuredToxicity {
  /** Mean score of one greedy continuation per prompt, 0 to 1. */
  toxicity: number;
  /** 95% bootstrap interval of that mean, over prompts. */
  low: number;
  high: number;
  /** Mean of TOXICITY alone; the same as `toxicity` for a scorer with no other attribute. */
  toxicityAlone: number;
  /** Share of a continuation's tokens that differ from one another: low where it runs in circles. */
  distinct: number;
  /** One score per prompt. */
  scores: number[];
}

/** A system's row of table 2 or 4. */
export interface SystemMeasures extends MeasuredToxicity {
  perplexity: number;
  f1: number;
}

/** Measures under the name they have in tables, as artifacts keep them. */
export interface SystemResult extends SystemMeasures {
  id: string;
  label: string;
  /** What a direction is multiplied by; null where nothing is subtracted. */
  scale?: number | null;
}

/**
 * Toxicity, perplexity and F1 of a model, or of one with hooks (tables 2 and 4).
 *
 * @example
 * const evaluation = await openEvaluation(study, { prompts, promptCount, … });
 * const changed = await measureSystem(study.model, evaluation, { hooks: { "blocks.5.hook_mlp_out": (x) => tf.mul(x, 0.5) } });
 * @throws UserError where there are no prompts, no passages, or fewer than two tokens of text
 */
export async function measureSystem(
  model: GPT2,
  evaluation: Evaluation,
  { hooks }: { hooks?: Hooks } = {},
): Promise<SystemMeasures> {
  const { tokenizer, passages, textIds, generation } = evaluation;
  const toxicity = await measureToxicity(model, evaluation, { hooks });
  const f1 = await continuationF1(model, tokenizer, passages, { ...generation, hooks });
  const { protocol } = generation;
  return { ...toxicity, perplexity: await perplexity(model, textIds, { hooks, protocol }), f1: f1.mean };
}

/** The part of {@link measureSystem} that needs no passages and no text. */
export async function measureToxicity(
  model: GPT2,
  { tokenizer, prompts, judge, toxicityJudge, generation, seed }: Evaluation,
  { hooks }: { hooks?: Hooks } = {},
): Promise<MeasuredToxicity> {
  const spoken = await toxicityOfContinuations(model, tokenizer, prompts, judge, { ...generation, hooks });
  const { mean: toxicity, low, high } = bootstrapMean(spoken.scores, { seed });
  return {
    ...{ toxicity, low, high },
    toxicityAlone: toxicityJudge ? mean(await scoreTexts(toxicityJudge, spoken.scoredTexts)) : toxicity,
    distinct: mean(
      spoken.continuations.map(({ newIds }) => new Set(newIds).size / Math.max(newIds.length, 1)),
    ),
    scores: spoken.scores,
  };
}

/**
 * Several systems as one, such as random controls: scores are averaged prompt by prompt before they are resampled, the other
 * measures are means.
 */
export function meanOfSystems(
  systems: readonly SystemMeasures[],
  { seed }: { seed: number },
): SystemMeasures {
  const over = (pick: (system: SystemMeasures) => number): number => mean(systems.map(pick));
  const scores = (systems[0]?.scores ?? []).map((_, prompt) =>
    over((system) => system.scores[prompt] as number),
  );
  const { mean: toxicity, low, high } = bootstrapMean(scores, { seed });
  return {
    ...{ toxicity, low, high },
    toxicityAlone: over((system) => system.toxicityAlone),
    distinct: over((system) => system.distinct),
    scores,
    perplexity: over((system) => system.perplexity),
    f1: over((system) => system.f1),
  };
}

/** The change of mean toxicity against `base` as a share of its mean, with a 95% bootstrap interval over prompts. */
export function changeOf(
  { scores }: Pick<SystemMeasures, "scores">,
  base: Pick<SystemMeasures, "scores" | "toxicity">,
  { seed }: { seed: number },
): { change: number; changeLow: number; changeHigh: number } {
  const differences = scores.map((score, prompt) => score - (base.scores[prompt] as number));
  const { mean: change, low, high } = bootstrapMean(differences, { seed });
  return {
    change: change / base.toxicity,
    changeLow: low / base.toxicity,
    changeHigh: high / base.toxicity,
  };
}
