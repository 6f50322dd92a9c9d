import * as tf from "@tensorflow/tfjs-core";
import { AttributeHead } from "../../alignment/pplm/objective.js";
import { PPLM_DEFAULTS } from "../../alignment/pplm/options.js";
import { PerturbedBatch } from "../../alignment/pplm/perturbed-batch.js";
import { mulberry32 } from "@alignscope/base/random";
import type { GPT2 } from "../../model/index.js";
import { perturbationFlops } from "./flops.js";
import type { Setting } from "./model.js";
import { resultOf, type BenchResult } from "./result.js";
import { randomIds } from "./shapes.js";
import { time } from "./timing.js";

const ITERATIONS = 5;

/**
 * Times iterations of PPLM on `batch` texts of `prompt` tokens at once, towards a random attribute; tokens per second are
 * texts times iterations: a continuation of n tokens takes n times as many iterations as each of them is perturbed.
 */
export async function benchPplm(
  model: GPT2,
  setting: Setting & { batch: number; prompt: number },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { batch, prompt, repetitions } = setting;
  const { config } = model;
  const random = mulberry32(6);
  const weight = [0, 1].map(() => Array.from({ length: config.dModel }, () => random() - 0.5));
  const head = new AttributeHead({ weight, bias: [0, 0], target: 1, stream: "pre-ln_f" });
  const { horizon } = PPLM_DEFAULTS;
  const prompts = randomIds(config, batch, prompt, random);
  const perturbed = PerturbedBatch.begin(model, head, prompts, { newTokens: 1, horizon });
  try {
    const pass = (): tf.Tensor => {
      let last: tf.Tensor | undefined;
      for (let i = 0; i < ITERATIONS; i++) {
        const { crossEntropy, kl, gradientNorms } = perturbed.iterate(PPLM_DEFAULTS);
        const [norms, ...others] = gradientNorms;
        tf.dispose([crossEntropy, kl, ...others, ...(last ? [last] : [])]);
        last = norms;
      }
      return last as tf.Tensor;
    };
    const timing = await time(pass, { repetitions });
    const flops = ITERATIONS * perturbationFlops(config, batch, prompt);
    const tokens = ITERATIONS * batch;
    onResult(resultOf({ ...setting, name: "pplm", positions: prompt, tokens, flops }, timing));
  } finally {
    perturbed.dispose();
    head.dispose();
  }
}
