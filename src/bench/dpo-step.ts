import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "../data/random";
import type { GPT2 } from "../model";
import { crossEntropy } from "../tensors/ops";
import { trainingFlops } from "./flops";
import type { Setting } from "./model";
import { resultOf, type BenchResult } from "./result";
import { randomIds } from "./shapes";
import { time } from "./timing";

/** Pairs of sequences, the chosen ones first: row i and row i + pairs belong together. */
type Sequences = readonly (readonly number[])[];

const BETA = 0.1;
const RMSPROP = { learningRate: 1e-6, decay: 0.99, epsilon: 1e-8 };

/**
 * Times one training step of DPO: policy forward and backward over both sides of every pair, then the update. The model is
 * trained, and gone afterwards.
 */
export async function benchDpoStep(
  model: GPT2,
  setting: Setting & { pairs: number; length: number; pairsAtOnce: number },
  onResult: (result: BenchResult) => void,
): Promise<void> {
  const { pairs, length, pairsAtOnce, repetitions } = setting;
  const trainer = new DpoTrainer(
    model,
    randomIds(model.config, 2 * pairs, length, mulberry32(5)),
    pairsAtOnce,
  );
  try {
    const timing = await time(() => trainer.step(), { repetitions });
    const batch = 2 * pairs;
    const flops = trainingFlops(model.config, { batch, positions: length });
    const work = { ...setting, name: "dpo-step", batch, positions: length, tokens: batch * length, flops };
    onResult(resultOf(work, timing));
  } finally {
    trainer.dispose();
  }
}

/**
 * A policy in training on pairs that stay the same. It takes the model over and disposes of it: the reference's
 * log-probabilities are computed once, so that its weights need not be kept.
 */
export class DpoTrainer {
  private parameters: tf.Tensor[];
  private meanSquares: tf.Tensor[];
  private readonly names: string[];
  private readonly pairs: number;
  private readonly parts: { sequences: Sequences; reference: tf.Tensor1D }[];

  /** @param pairsAtOnce how many pairs share a pass: their gradients are added up, so it changes memory and time only */
  constructor(
    private readonly model: GPT2,
    sequences: Sequences,
    pairsAtOnce: number,
  ) {
    const pairs = (this.pairs = sequences.length / 2);
    this.names = model.parameterNames;
    this.parameters = this.names.map((name) => tf.clone(model.weight(name)));
    this.meanSquares = this.parameters.map((parameter) => tf.zerosLike(parameter));
    this.parts = [];
    for (let start = 0; start < pairs; start += pairsAtOnce) {
      const end = Math.min(pairs, start + pairsAtOnce);
      const part = [...sequences.slice(start, end), ...sequences.slice(pairs + start, pairs + end)];
      this.parts.push({ sequences: part, reference: tf.tidy(() => logProbs(model, part)) });
    }
    model.dispose();
  }

  /** One step; returns the mean loss of the pairs before it. */
  async step(): Promise<tf.Scalar> {
    const first = this.gradients(0);
    const { value, grads } = this.parts.length > 1 ? await this.addTheRest(first) : first;
    for (const [i, gradient] of grads.entries()) {
      const [parameter, meanSquare] = [this.parameters[i] as tf.Tensor, this.meanSquares[i] as tf.Tensor];
      const slope = gradient instanceof Float32Array ? tf.tensor(gradient, parameter.shape) : gradient;
      const updated = rmsPropUpdate(parameter, meanSquare, slope, RMSPROP);
      tf.dispose([parameter, meanSquare, slope]);
      this.parameters[i] = updated.parameter;
      this.meanSquares[i] = updated.meanSquare;
    }
    return value;
  }

  /** One part's share of the mean loss, and its gradient by every parameter. */
  private gradients(part: number): { value: tf.Scalar; grads: tf.Tensor[] } {
    const { sequences, reference } = this.parts[part] as DpoTrainer["parts"][number];
    const objective = (...values: tf.Tensor[]): tf.Scalar => {
      const policy = this.model.withParameters(
        new Map(this.names.map((name, i) => [name, values[i] as tf.Tensor])),
      );
      return tf.div(tf.sum(dpoLosses(logProbs(policy, sequences), reference, BETA)), this.pairs);
    };
    const { value, grads } = tf.valueAndGrads(objective)(this.parameters);
    return { value: value, grads };
  }

  /** The parts after the first, added up outside the backend: parts are there because its memory is small. */
  private async addTheRest(
    first: ReturnType<DpoTrainer["gradients"]>,
  ): Promise<{ value: tf.Scalar; grads: Float32Array[] }> {
    const fetch = async (tensor: tf.Tensor): Promise<Float32Array> => {
      const values = await tensor.data<"float32">();
      tensor.dispose();
      return values;
    };
    const sums: Float32Array[] = [];
    for (const gradient of [first.value, ...first.grads]) sums.push(new Float32Array(await fetch(gradient)));
    for (let part = 1; part < this.parts.length; part++) {
      const { value, grads } = this.gradients(part);
      for (const [i, gradient] of [value, ...grads].entries()) {
        const sum = sums[i] as Float32Array;
        const term = await fetch(gradient);
        for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] as number) + (term[n] as number);
      }
    }
    const [loss, ...grads] = sums;
    return { value: tf.scalar(loss?.[0] ?? Number.NaN), grads };
  }

  /** Frees the policy and the optimiser's state. */
  dispose(): void {
    tf.dispose([...this.parameters, ...this.meanSquares, ...this.parts.map(({ reference }) => reference)]);
    this.parameters = this.meanSquares = [];
  }
}

/** Log-probability of each sequence's tokens but the first, summed: `[sequence]`. */
export function logProbs(model: GPT2, sequences: Sequences): tf.Tensor1D {
  const logits = model.forward(sequences);
  const [batch, positions, vocab] = logits.shape;
  const predicted = tf.slice(logits, [0, 0, 0], [-1, positions - 1, -1]);
  const targets = Int32Array.from(sequences.flatMap((sequence) => sequence.slice(1)));
  const surprise = crossEntropy(tf.reshape(predicted, [-1, vocab]), tf.tensor1d(targets, "int32"));
  return tf.neg(tf.sum<tf.Tensor1D>(tf.reshape(surprise, [batch, positions - 1]), -1));
}

/**
 * Rafailov et al. 2023, equation 7: −log σ(β((log π(chosen) − log π(rejected)) − (log π_ref(chosen) − log π_ref(rejected)))).
 *
 * @param policy log-probabilities `[2·pairs]`, the chosen ones first
 * @param reference the same of the reference model
 * @returns one loss per pair, `[pairs]`
 */
export function dpoLosses(policy: tf.Tensor1D, reference: tf.Tensor1D, beta: number): tf.Tensor1D {
  const gain = tf.sub(policy, reference);
  const pairs = (gain.shape[0] ?? 0) / 2;
  const margin = tf.sub(tf.slice(gain, [0], [pairs]), tf.slice(gain, [pairs], [pairs]));
  return tf.softplus(tf.mul<tf.Tensor1D>(margin, -beta));
}

/**
 * RMSprop as torch defines it: the mean square v ← αv + (1−α)g², the parameter p ← p − ηg / (√v + ε).
 *
 * @returns two new tensors; the caller disposes of all that it gave
 */
export function rmsPropUpdate(
  parameter: tf.Tensor,
  meanSquare: tf.Tensor,
  gradient: tf.Tensor,
  { learningRate, decay, epsilon }: { learningRate: number; decay: number; epsilon: number },
): { parameter: tf.Tensor; meanSquare: tf.Tensor } {
  return tf.tidy(() => {
    const updated = tf.add(tf.mul(meanSquare, decay), tf.mul(tf.square(gradient), 1 - decay));
    const step = tf.div(tf.mul(gradient, learningRate), tf.add(tf.sqrt(updated), epsilon));
    return { parameter: tf.sub(parameter, step), meanSquare: updated };
  });
}
