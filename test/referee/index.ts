/** A second, independent GPT-2 in float64, for tests to hold the first one against. Slow, and meant for tiny shapes. */
export { backward } from "./backward.js";
export { layOut } from "./batch.js";
export { forward, type Activation, type Edit, type Pass } from "./forward.js";
export { nextTokenLoss } from "./loss.js";
export { rmspropStep } from "./rmsprop.js";
export { randomWeights, readWeights, type Weights } from "./weights.js";
