/** Preference pairs: from which prompts, how they are made, read, turned into tokens and described. */
export { describePairs, type PairsSummary } from "./describe.js";
export { greedyContinuations } from "./greedy.js";
export {
  makePairs,
  type ContinuationContext,
  type Continuations,
  type MadePairs,
  type MakePairsOptions,
} from "./make.js";
export { mergePairs } from "./merge.js";
export { makePplmPairs, type MakePplmPairsOptions, type PairRecipe } from "./pplm-pairs.js";
export { readPairPrompts, type PromptOptions, type Prompts } from "./prompts.js";
export { readPairs, type ReadPairs, type ReadPairsOptions } from "./read.js";
export { perturbedContinuations, type PerturbedContinuationOptions } from "./perturbed.js";
export { writePairs } from "./write.js";
export type { Rewrites } from "./paradetox.js";
export type { PairRow, ReadPair, Sides } from "./row.js";
export { parseShard, shardPath, type Shard } from "./shard.js";
export { tokenisePairs, type TokenisedPairs, type TokenisePairsOptions } from "./tokenise.js";
