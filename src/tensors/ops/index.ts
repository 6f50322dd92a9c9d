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
} from "./attention.js";
export { attendPast, factorsShape, type Past } from "./attend-past.js";
export { appendToCache } from "./cache.js";
export { embed } from "./embed.js";
export { gelu } from "./gelu.js";
export { centre, layerNorm, layerNormParts } from "./layer-norm.js";
export { linear, linearGelu } from "./linear.js";
export { crossEntropy, pickLogProb, rowsAtATime, tokenLogProbs } from "./log-probs.js";
export { oneHot } from "./one-hot.js";
export { rmsPropUpdate, type RmsPropOptions } from "./rmsprop.js";
export { stepPast, type PastStep } from "./step-past.js";
export { add, reshape } from "./shape.js";
