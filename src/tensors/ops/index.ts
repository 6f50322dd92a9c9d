/*
 * The operations of a transformer that are worth more than a composition of tfjs' own: each is one function, with a
 * gradient of its own, that runs a fused kernel where the backend has one.
 */
export {
  attention,
  attentionMask,
  composedAttention,
  headsOf,
  hidingMask,
  joinHeads,
  joinedAttention,
  maskedScores,
  partOf,
  patternOf,
  splitHeads,
  type AttentionMask,
} from "./attention";
export { attendPast, factorsShape, type Past } from "./attend-past";
export { appendToCache } from "./cache";
export { embed } from "./embed";
export { gelu } from "./gelu";
export { centre, layerNorm, layerNormParts } from "./layer-norm";
export { linear, linearGelu } from "./linear";
export { crossEntropy, pickLogProb, rowsAtATime, tokenLogProbs } from "./log-probs";
export { oneHot } from "./one-hot";
export { rmsPropUpdate, type RmsPropOptions } from "./rmsprop";
export { stepPast, type PastStep } from "./step-past";
export { add, reshape } from "./shape";
