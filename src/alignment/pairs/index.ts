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
export { makePplmPairs, type MakePplmPairsOptions, type PairRecipe } from "./pplm-pairs.js";
export { readPairPrompts } from "./prompts.js";
export { readPairs, type ReadPairs } from "./read.js";
export { perturbedContinuations } from "./perturbed.js";
export { writePairs } from "./write.js";
export type { Rewrites } from "./paradetox.js";
export type { PairRow, ReadPair } from "./row.js";
export { shardPath } from "./shard.js";
export { tokenisePairs } from "./tokenise.js";
