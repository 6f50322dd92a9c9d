import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import type { GPT2 } from "../../model/index.js";
import type { TokenPair } from "../preference-pair.js";
import { layOutPairs } from "./batch.js";
import { layoutOf, scoresOf } from "./gradient.js";
import { sideLogProbs, sideLogProbsAndKl } from "./log-probs.js";
import { metricsOf, type DpoMetrics, type PairScore } from "./metrics.js";
import type { ReferenceLogProbs } from "./reference.js";
import type { DpoSettings } from "./settings.js";

/**
 * What the policy makes of the held-out pairs, in means over them. With the reference's model at hand the KLs are exact,
 * summed over the vocabulary.
 */
export async function evaluate(
  policy: GPT2,
  validation: readonly TokenPair[],
  reference: Pick<ReferenceLogProbs, "ofValidation">,
  settings: DpoSettings,
  referenceModel?: GPT2,
): Promise<DpoMetrics> {
  const scores: PairScore[] = [];
  const layout = layoutOf(settings, referenceModel !== undefined);
  for (let first = 0; first < validation.length; first += settings.evaluationBatchSize) {
    await setImmediate();
    const pairs = validation.slice(first, first + settings.evaluationBatchSize);
    const part = layOutPairs(pairs, layout, policy.config);
    const found = tf.tidy(() => {
      if (!referenceModel) return sideLogProbs(policy, part);
      const { logProbs, kl } = sideLogProbsAndKl(policy, referenceModel, part, layout.everyPosition);
      return tf.concat([logProbs, kl]);
    });
    scores.push(...scoresOf(part, await found.data(), reference.ofValidation(first, pairs.length)));
    found.dispose();
  }
  return metricsOf(scores, settings);
}
