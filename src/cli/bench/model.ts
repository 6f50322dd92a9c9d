import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "@alignscope/base/random";
import { generate, lossGradients, type GPT2 } from "../../model/index.js";
import { forwardFlops, generationFlops, trainingFlops } from "./flops.js";
import { resultOf, type BenchResult } from "./result.js";
import { randomIds, type ShapeName } from "./shapes.js";
import { time, type Pass } from "./timing.js";

/** What all measurements share. */
export interface Setting {
  shape: ShapeName;
  repetitions: number;
  ceilingGflops: number | null;
}

/** Times passes over random tokens `[batch, positions]`: forward, and with the gradient of the loss by every parameter. */
export async function benchModel(
  model: GPT2,
  setting: Setting & { batch: number; positions: number; backward: boolean },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { batch, positions, backward, repetitions } = setting;
  const ids = randomIds(model.config, batch, positions, mulberry32(1));
  const work = { ...setting, tokens: batch * positions };
  const pass = { batch, positions };
  const forward = await time(() => model.forward(ids), { repetitions });
  onResult(resultOf({ ...work, name: "forward", flops: forwardFlops(model.config, pass) }, forward));
  if (!backward) return;
  const both = await time(gradientPass(model, ids), { repetitions });
  const flops = trainingFlops(model.config, pass);
  onResult(resultOf({ ...work, name: "forward+backward", flops }, both));
}

/** The gradients of the next-token loss; the embedding's, which is computed last, stays to wait for. */
function gradientPass(model: GPT2, ids: number[][]): Pass {
  return async () => {
    const { gradients } = await lossGradients(model, ids);
    const [embedding, ...others] = [...gradients.values()];
    tf.dispose(others);
    return embedding as tf.Tensor;
  };
}

/** Times greedy continuations of `batch` prompts at once with the cache of keys and values; tokens per second are new ones. */
export async function benchGenerate(
  model: GPT2,
  setting: Setting & { batch: number; prompt: number; newTokens: number },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { batch, prompt, newTokens, repetitions } = setting;
  const prompts = randomIds(model.config, batch, prompt, mulberry32(2));
  const options = { maxNewTokens: newTokens, batchSize: batch, stopAtEos: false };
  // Tokens come back to be read at every step, so there is nothing left to wait for.
  const pass: Pass = async () => tf.scalar((await generate(model, prompts, options)).length);
  const timing = await time(pass, { repetitions });
  const positions = prompt + newTokens;
  const flops = generationFlops(model.config, batch, prompt, newTokens);
  onResult(resultOf({ ...setting, name: "generate", positions, tokens: batch * newTokens, flops }, timing));
}
