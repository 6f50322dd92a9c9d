/** A run of RMSProp, as far as the size of its steps goes. */
export interface RmsPropRun {
  learningRate: number;
  /** Steps over which the rate grows; step t (from 0) takes learningRate · min(1, (t + 1) / (warmupSteps + 1)). */
  warmupSteps: number;
  steps: number;
}

/** ρ of RMSProp's running mean of squares, torch's default. */
const DECAY = 0.99;

/**
 * How far an entry ends from where it began if its gradients know no direction: the root mean square of a random walk by
 * RMSProp. The optimiser divides each gradient by the root of a running mean of its squares, which has grown to 1 − ρᵗ⁺¹ of
 * them after step t, so that a step is ηₜ / √(1 − ρᵗ⁺¹) long whatever the gradient's size; steps of random sign add up by
 * their squares. It says what "norm difference" can be at a learning rate (docs/recipes.md#norm-differences): gradients
 * that agree from step to step lead further, those that are mostly zero less far.
 *
 * @returns in units of the entry
 *
 * @example
 * randomWalk({ learningRate: 1e-6, warmupSteps: 150, steps: 1500 }); // 3.8e-5
 */
export function randomWalk({ learningRate, warmupSteps, steps }: RmsPropRun): number {
  let squares = 0;
  for (let t = 0; t < steps; t += 1) {
    const rate = learningRate * Math.min(1, (t + 1) / (warmupSteps + 1));
    squares += rate ** 2 / (1 - DECAY ** (t + 1));
  }
  return Math.sqrt(squares);
}
