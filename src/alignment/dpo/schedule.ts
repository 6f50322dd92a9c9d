import { mulberry32, shuffled } from "../../data/random";
import type { DpoSettings } from "./settings";

/** The learning rate of a step, counted from 0: warmed up linearly, then constant (docs/recipes.md#steps-of-dpo). */
export function learningRateAt(
  step: number,
  { learningRate, warmupSteps }: Pick<DpoSettings, "learningRate" | "warmupSteps">,
): number {
  return learningRate * Math.min(1, (step + 1) / (warmupSteps + 1));
}

/**
 * The order in which an epoch, counted from 0, takes the training pairs: theirs, or one that seed and epoch decide. Nothing
 * else is random in a run, so that epoch and position are all there is to say where it stands.
 */
export function orderOf(
  epoch: number,
  pairs: number,
  { shuffle, seed }: Pick<DpoSettings, "shuffle" | "seed">,
): number[] {
  const order = Array.from({ length: pairs }, (_, i) => i);
  // Seeds are spread, so that epoch 1 of one seed is not epoch 0 of the next.
  return shuffle ? shuffled(order, mulberry32(Math.imul(seed + 1, 0x9e3779b1) ^ epoch)) : order;
}

/** The training pairs of a step that begins at `position` of an epoch. */
export function batchAt(order: readonly number[], position: number, batchSize: number): number[] {
  return order.slice(position, position + batchSize);
}
