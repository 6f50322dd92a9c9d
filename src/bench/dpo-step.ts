import * as tf from "@tensorflow/tfjs-core";
import { dpoLosses } from "../alignment/dpo-loss";
import { mulberry32 } from "../data/random";
import { gradientsOf, type ForwardOptions, type GPT2 } from "../model";
import { rmsPropUpdate } from "../tensors/ops";
import { trainingFlops } from "./flops";
import type { Setting } from "./model";
import { resultOf, type BenchResult } from "./result";
import { randomIds } from "./shapes";
import { time } from "./timing";

const BETA = 0.1;
const RMSPROP = { learningRate: 1e-6, decay: 0.99, epsilon: 1e-8 };

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
  const trainer = new DpoTrainer(model, randomIds(model.config, batch, length, mulberry32(5)));
  try {
    const step = async (): Promise<tf.Tensor> => {
      await trainer.step();
      return tf.clone(model.weight("ln_f.bias")); // the update's last: whoever waits for it waits for all
    };
    const timing = await time(step, { repetitions });
    const flops = trainingFlops(model.config, { batch, positions: length });
    const work = { ...setting, name: "dpo-step", batch, positions: length, tokens: batch * length, flops };
    onResult(resultOf(work, timing));
  } finally {
    trainer.dispose();
  }
}

/**
 * Trains a model on pairs that stay the same. The reference's log-probabilities are computed once, so that its weights
 * need not be kept.
 */
export class DpoTrainer {
  private readonly meanSquares = new Map<string, tf.Tensor>();
  private readonly reference: tf.Tensor1D;

  /** @param sequences the chosen ones first: row i and row i + pairs belong together */
  constructor(
    private readonly model: GPT2,
    private readonly sequences: readonly (readonly number[])[],
  ) {
    this.reference = sequenceLogProbs(model, sequences);
    for (const name of model.parameterNames) {
      this.meanSquares.set(name, tf.zerosLike(model.weight(name)));
    }
  }

  /** One step; returns the mean loss of the pairs before it. */
  async step(): Promise<number> {
    const { model, sequences, reference } = this;
    const loss = (options: ForwardOptions): tf.Tensor =>
      tf.mean(dpoLosses(sequenceLogProbs(model, sequences, options), reference, BETA));
    const { value, parameters } = await gradientsOf(model, loss, { parameters: "all" });
    for (const [name, gradient] of parameters) {
      const before = this.meanSquares.get(name) as tf.Tensor;
      const { parameter, meanSquare } = rmsPropUpdate(model.weight(name), before, gradient, RMSPROP);
      model.setWeight(name, parameter);
      this.meanSquares.set(name, meanSquare);
      gradient.dispose();
    }
    return value;
  }

  /** Frees the optimiser's state; the model stays. */
  dispose(): void {
    tf.dispose([...this.meanSquares.values(), this.reference]);
    this.meanSquares.clear();
  }
}

/** Log-probability of each sequence's tokens but the first, summed: `[sequence]`. */
function sequenceLogProbs(
  model: GPT2,
  sequences: readonly (readonly number[])[],
  options: ForwardOptions = {},
): tf.Tensor1D {
  return tf.tidy(() => tf.sum(model.tokenLogProbs(sequences, options), 1));
}
