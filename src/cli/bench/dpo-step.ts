import * as tf from "@tensorflow/tfjs-core";
import { layOutPairs } from "../../alignment/dpo/batch.js";
import { sideLogProbs, type SideLogProbs } from "../../alignment/dpo/log-probs.js";
import { RmsProp } from "../../alignment/dpo/optimizer.js";
import { DPO_SETTINGS } from "../../alignment/dpo/settings.js";
import { trainedParameters } from "../../alignment/dpo/trainable.js";
import { dpoStep } from "../../alignment/dpo/trainer.js";
import type { TokenPair } from "../../alignment/preference-pair.js";
import { mulberry32 } from "@alignscope/base/random";
import type { GPT2 } from "../../model/index.js";
import { trainingFlops } from "./flops.js";
import type { Setting } from "./model.js";
import { resultOf, type BenchResult } from "./result.js";
import { randomIds } from "./shapes.js";
import { time } from "./timing.js";

const SETTINGS = DPO_SETTINGS.corrected;

/**
 * Times one training step of DPO: policy forward and backward over both sides of every pair, then the update. The model is
 * trained on the way.
 */
export async function benchDpoStep(
  model: GPT2,
  setting: Setting & { pairs: number; length: number },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { pairs, length, repetitions } = setting;
  const batch = 2 * pairs;
  // Prompts of one token: every other position is unembedded, as in the peer's step.
  const [prompts, chosen, rejected] = [1, length - 1, length - 1].map((own, i) =>
    randomIds(model.config, pairs, own, mulberry32(5 + i)),
  );
  const random = prompts!.map((prompt, i): TokenPair => {
    return { id: String(i), prompt, chosen: chosen![i]!, rejected: rejected![i]! };
  });
  const optimizer = new RmsProp(model, trainedParameters(model));
  try {
    const reference = await referenceOf(model, random);
    const step = async (): Promise<tf.Tensor> => {
      const request = { policy: model, optimizer, pairs: random, reference, settings: SETTINGS };
      await dpoStep(request, SETTINGS.learningRate);
      return tf.clone(model.weight("ln_f.bias")); // the update's last: whoever waits for it waits for all
    };
    const timing = await time(step, { repetitions });
    const flops = trainingFlops(model.config, { batch, positions: length });
    const work = { ...setting, name: "dpo-step", batch, positions: length, tokens: batch * length, flops };
    onResult(resultOf(work, timing));
  } finally {
    optimizer.dispose();
  }
}

/** Log-probabilities of both sides of pairs under a model. */
async function referenceOf(model: GPT2, pairs: readonly TokenPair[]): Promise<SideLogProbs[]> {
  const sides = sideLogProbs(model, layOutPairs(pairs, SETTINGS, model.config));
  const values = await sides.data();
  sides.dispose();
  return pairs.map((_, i) => [values[i]!, values[pairs.length + i]!]);
}
