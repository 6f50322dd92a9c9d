/** A second, independent GPT-2 in float64, for tests to hold the first one against. Slow, and meant for tiny shapes. */
export { backward, type Gradients } from "./backward";
export { layOut, type Batch } from "./batch";
export { forward, type Activation, type Edit, type Pass } from "./forward";
export { nextTokenLoss } from "./loss";
export { rmspropStep } from "./rmsprop";
export { randomWeights, readWeights, type Weights } from "./weights";
