/** Preference pairs: from which prompts, how they are made, read, turned into tokens and described. */
export { describePairs, type PairsSummary } from "./describe";
export { greedyContinuations } from "./greedy";
export {
  makePairs,
  type ContinuationContext,
  type Continuations,
  type MadePairs,
  type MakePairsOptions,
} from "./make";
export { mergePairs } from "./merge";
export { makePplmPairs, type MakePplmPairsOptions, type PairRecipe } from "./pplm-pairs";
export { readPrompts, type PromptOptions, type Prompts } from "./prompts";
export { readPairs, type ReadPairs, type ReadPairsOptions } from "./read";
export { perturbedContinuations, type PerturbedContinuationOptions } from "./perturbed";
export { writePairs } from "./write";
export type { Rewrites } from "./paradetox";
export type { PairRow, ReadPair, Sides } from "./row";
export { parseShard, shardPath, type Shard } from "./shard";
export { tokenisePairs, type TokenisedPairs, type TokenisePairsOptions } from "./tokenise";
