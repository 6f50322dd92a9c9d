import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import type { GPT2, Hooks } from "../model/index.js";
import { gaussianVectors } from "./random.js";
import { unit, type Vector } from "@alignscope/tensors/vectors";

/**
 * Where an intervention acts. `"as-published"`: while generating only the last position of each step, so that keys and
 * values of the past stay as they were; when text is scored, every position. The two others say it outright.
 */
export type InterventionReach = "as-published" | "last" | "all";

/**
 * The intervention of section 3.3, x^{L-1} ← x^{L-1} − α W: subtracts `scale` times `vector` (as it is, not normalised)
 * from what the last block's MLP writes to the residual stream.
 *
 * @param vector [dModel]
 * @example await generate(model, ids, { maxNewTokens: 20, hooks: subtractDirection(model, probe.direction, 8) })
 */
export function subtractDirection(
  model: GPT2,
  vector: Vector,
  scale: number,
  { reach = "as-published" }: { reach?: InterventionReach } = {},
): Hooks {
  const { dModel, nLayer } = model.config;
  if (vector.length !== dModel) {
    throw new RangeError(
      `subtractDirection: got a vector of ${vector.length} numbers, expected ${dModel} (dModel)`,
    );
  }
  const shift = Float32Array.from(vector, (value) => value * scale);
  return {
    [`blocks.${nLayer - 1}.hook_mlp_out`]: (activation, { generating }) => {
      const positions = activation.shape[1] as number;
      const everywhere = reach === "all" || (reach === "as-published" && !generating) || positions === 1;
      if (everywhere) return tf.sub(activation, tf.tensor(shift, [1, 1, dModel]));
      const perPosition = new Float32Array(positions * dModel);
      perPosition.set(shift, (positions - 1) * dModel);
      return tf.sub(activation, tf.tensor(perPosition, [1, positions, dModel]));
    },
  };
}

/** `count` unit vectors of uniformly distributed direction: what an intervention does by its mere size. */
export function randomDirections(count: number, dModel: number, seed: number): Float64Array[] {
  return gaussianVectors(count, dModel, seed).map(unit);
}

/** A scale found by {@link scaleForPerplexity}, and the perplexity it gives. */
export interface FoundScale {
  scale: number;
  perplexity: number;
  /** How many perplexities were measured on the way. */
  evaluations: number;
}

/**
 * The positive scale at which an intervention raises perplexity to `target`: directions of any length become comparable
 * by what they cost. Doubles the scale until the target is passed, then closes in, guessing each next point as if the
 * log-perplexity grew with the square of the scale and halving where the guess closes in too slowly.
 *
 * @param perplexityAt measures the perplexity at a scale; it must rise with the scale for large scales
 * @param options what to reach, and from where
 * @param options.base perplexity at scale 0
 * @param options.tolerance accepted relative distance from the target
 * @throws UserError when `target` is not above `base`, or when `maxEvaluations` do not suffice
 */
export async function scaleForPerplexity(
  perplexityAt: (scale: number) => Promise<number>,
  {
    base,
    target,
    start = 1,
    tolerance = 1e-3,
    maxEvaluations = 40,
  }: { base: number; target: number; start?: number; tolerance?: number; maxEvaluations?: number },
): Promise<FoundScale> {
  if (!(target > base)) {
    throw new UserError(`target perplexity: got ${target}, expected one above the unchanged model's ${base}`);
  }
  const excess = (perplexity: number) => Math.log(perplexity / base);
  const goal = excess(target);
  let low = { scale: 0, excess: 0 };
  let high: { scale: number; excess: number } | undefined;
  let scale = start;
  for (let evaluations = 1; ; evaluations += 1) {
    const perplexity = await perplexityAt(scale);
    if (Math.abs(perplexity / target - 1) <= tolerance) return { scale, perplexity, evaluations };
    if (evaluations >= maxEvaluations) {
      throw new UserError(
        `no scale in ${evaluations} evaluations gives a perplexity of ${target} (${scale} gives ${perplexity}): ` +
          "ask for a smaller ratio",
      );
    }
    const here = { scale, excess: excess(perplexity) };
    if (here.excess < goal) low = here;
    else high = here;
    scale = high ? between(low, high, goal) : here.scale * stretch(here.excess, goal);
  }
}

/** How far to go on while the target has not been passed: at least 1.2 times, at most 4 times as far. */
function stretch(excess: number, goal: number): number {
  if (excess <= 0) return 4;
  return Math.min(4, Math.max(1.2, 1.1 * Math.sqrt(goal / excess)));
}

/** Interpolates in the square of the scale; keeps a tenth of the bracket's width away from its ends. */
function between(
  low: { scale: number; excess: number },
  high: { scale: number; excess: number },
  goal: number,
): number {
  const share = (goal - low.excess) / (high.excess - low.excess);
  const guess = Math.sqrt(Math.max(0, low.scale ** 2 + share * (high.scale ** 2 - low.scale ** 2)));
  const margin = 0.02 * (high.scale - low.scale);
  return Math.min(high.scale - margin, Math.max(low.scale + margin, guess));
}
