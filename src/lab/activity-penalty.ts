import * as tf from "@tensorflow/tfjs-core";
import { differentiable } from "@alignscope/tensors/tape";
import type { GPT2Config } from "../model/config.js";
import type { Hooks } from "../model/hooks.js";

/**
 * Hooks through which training also pays for activity: every unit of a positive coefficient m, of any MLP neuron, adds
 * `penalty` nats to a token's loss. Neurons thus come to answer to few things and are silent elsewhere, which small models
 * otherwise cannot afford; m is GELU(k · LN(x) + b), so an L1 penalty on its positive part. Activations pass as they are:
 * only the gradient knows of it, and losses stay those of the tokens.
 *
 * @param penalty nats per unit of activity; no hooks for 0
 * @example
 * model.residual(batch, { hooks: activityPenalty(model.config, 2e-4) }); // within valueAndGradients
 */
export function activityPenalty({ nLayer, dMlp }: GPT2Config, penalty: number): Hooks {
  if (penalty === 0) return {};
  const hook = (m: tf.Tensor): tf.Tensor =>
    differentiable([m], (save) => {
      save([m]);
      const tokens = m.size / dMlp;
      return {
        value: tf.clone(m),
        gradient: (dy, [saved]) =>
          tf.tidy(() => tf.add(dy, tf.mul(tf.step(saved as tf.Tensor), penalty / tokens))),
      };
    });
  const points = Array.from({ length: nLayer }, (_, layer) => `blocks.${layer}.mlp.hook_post`);
  return Object.fromEntries(points.map((point) => [point, hook]));
}
