import { workerData, parentPort } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { mulberry32 } from "@alignscope/base/random";
import { openBackend } from "@alignscope/tensors";
import { crossEntropy } from "@alignscope/tensors/ops";
import { valueAndGradients } from "@alignscope/tensors/tape";
import type { GPT2Config } from "../model/config.js";
import { GPT2 } from "../model/gpt2.js";
import { parameterShapes } from "../model/parameters.js";
import { Barrier } from "./barrier.js";

/*
 * One of several workers that train together: each takes its share of every batch, all add their gradients up in shared
 * memory, and each then updates its share of the parameters. Sums run in a fixed order, so a run is reproducible for a
 * given number of workers.
 */

/** What the trainer hands to a worker; the arrays are views of shared memory. */
export interface WorkerJob {
  rank: number;
  workers: number;
  config: GPT2Config;
  backend: string;
  /** Sequences per worker and step. */
  sequences: number;
  seed: number;
  learningRate: number;
  warmupSteps: number;
  totalSteps: number;
  weightDecay: number;
  trainTokens: Uint16Array;
  validTokens: Uint16Array;
  /** All parameters in the order of parameterShapes. */
  parameters: Float32Array;
  /** Adam's first and second moments. */
  momentum: Float32Array;
  variance: Float32Array;
  /** One gradient per worker. */
  gradients: Float32Array[];
  /** Per worker: loss, sum of squares of its share of the gradient, validation loss, validation tokens. */
  sums: Float64Array;
  barrier: Int32Array;
}

/** Run `steps` steps from `firstStep`, or measure the validation loss. */
export type WorkerOrder = { kind: "train"; firstStep: number; steps: number } | { kind: "validate" };

const BETA_1 = 0.9;
const BETA_2 = 0.98;
const EPSILON = 1e-8;
const MAX_GRADIENT_NORM = 1;

async function main(job: WorkerJob): Promise<void> {
  await openBackend(job.backend);
  const barrier = new Barrier(job.barrier, job.workers);
  const shapes = [...parameterShapes(job.config)];
  const sizes = shapes.map(([, shape]) => tf.util.sizeFromShape(shape));
  const length = job.config.nPositions;

  /** Mean loss of the next tokens of some sequences, and on demand its gradient into this worker's slot. */
  const evaluate = (sequences: number[][], withGradient: boolean): number => {
    let offset = 0;
    const values = shapes.map(([, shape], i) => {
      const size = sizes[i] ?? 0;
      const value = tf.tensor(job.parameters.slice(offset, offset + size), shape);
      offset += size;
      return value;
    });
    const loss = (): tf.Scalar => {
      const parameters = new Map(shapes.map(([name], i) => [name, values[i] as tf.Tensor]));
      const logits = GPT2.of(job.config, parameters).forward(
        sequences.map((sequence) => sequence.slice(0, -1)),
      );
      const targets = Int32Array.from(sequences.flatMap((sequence) => sequence.slice(1)));
      const rows: tf.Tensor2D = tf.reshape(logits, [-1, job.config.vocabSize]);
      return tf.mean(crossEntropy(rows, tf.tensor1d(targets, "int32")));
    };
    const result = tf.tidy(() => {
      if (!withGradient) return loss().dataSync()[0] ?? Number.NaN;
      const { value, gradients } = valueAndGradients(loss, values);
      let at = 0;
      for (const [i, gradient] of gradients.entries()) {
        const size = sizes[i] ?? 0;
        job.gradients[job.rank]?.set(gradient?.dataSync<"float32">() ?? new Float32Array(size), at);
        at += size;
      }
      return value.dataSync()[0] ?? Number.NaN;
    });
    tf.dispose(values);
    return result;
  };

  const share = Math.ceil(job.parameters.length / job.workers);
  const from = job.rank * share;
  const to = Math.min(from + share, job.parameters.length);
  const decays = decayMask(shapes, sizes);

  const step = (index: number): void => {
    const random = mulberry32(job.seed * 1_000_003 + index * job.workers + job.rank);
    const sequences = Array.from({ length: job.sequences }, () => {
      const start = Math.floor(random() * (job.trainTokens.length - length - 1));
      return Array.from(job.trainTokens.subarray(start, start + length + 1));
    });
    job.sums[job.rank * 4] = evaluate(sequences, true);
    barrier.wait();
    // Every worker averages its own share of all gradients, in the first worker's slot.
    const total = job.gradients[0] as Float32Array;
    let squares = 0;
    for (let i = from; i < to; i++) {
      let sum = 0;
      for (const gradient of job.gradients) sum += gradient[i] as number;
      const mean = sum / job.workers;
      total[i] = mean;
      squares += mean * mean;
    }
    job.sums[job.rank * 4 + 1] = squares;
    barrier.wait();
    let norm = 0;
    for (let worker = 0; worker < job.workers; worker++) norm += job.sums[worker * 4 + 1] as number;
    const clip = Math.min(1, MAX_GRADIENT_NORM / (Math.sqrt(norm) + 1e-6));
    update(job, decays, index, from, to, clip);
    barrier.wait();
  };

  parentPort?.on("message", (order: WorkerOrder) => {
    if (order.kind === "train") {
      let loss = 0;
      for (let i = 0; i < order.steps; i++) {
        step(order.firstStep + i);
        loss += job.sums[job.rank * 4] as number;
      }
      parentPort?.postMessage({ loss: loss / order.steps });
      return;
    }
    let sum = 0;
    let count = 0;
    const windows = Math.floor((job.validTokens.length - 1) / length);
    for (let window = job.rank * job.sequences; window < windows; window += job.workers * job.sequences) {
      const sequences = Array.from({ length: Math.min(job.sequences, windows - window) }, (_, i) =>
        Array.from(job.validTokens.subarray((window + i) * length, (window + i + 1) * length + 1)),
      );
      sum += evaluate(sequences, false) * sequences.length;
      count += sequences.length;
    }
    job.sums[job.rank * 4 + 2] = sum;
    job.sums[job.rank * 4 + 3] = count;
    parentPort?.postMessage({ loss: sum / count });
  });
  parentPort?.postMessage({ ready: true });
}

/** Weight decay falls on matrices, not on biases, layer norms or positions. */
function decayMask(shapes: [string, number[]][], sizes: number[]): Uint8Array {
  const mask = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let offset = 0;
  shapes.forEach(([name, shape], i) => {
    const size = sizes[i] ?? 0;
    if (shape.length === 2 && name !== "wpe.weight") mask.fill(1, offset, offset + size);
    offset += size;
  });
  return mask;
}

/** One step of AdamW (Loshchilov and Hutter 2019) on the parameters `from` to `to`. */
function update(
  job: WorkerJob,
  decays: Uint8Array,
  index: number,
  from: number,
  to: number,
  clip: number,
): void {
  const { parameters, momentum, variance } = job;
  const gradient = job.gradients[0] as Float32Array;
  const rate = job.learningRate * schedule(index, job.warmupSteps, job.totalSteps);
  const correct1 = 1 / (1 - BETA_1 ** (index + 1));
  const correct2 = 1 / (1 - BETA_2 ** (index + 1));
  for (let i = from; i < to; i++) {
    const slope = (gradient[i] as number) * clip;
    const m = BETA_1 * (momentum[i] as number) + (1 - BETA_1) * slope;
    const v = BETA_2 * (variance[i] as number) + (1 - BETA_2) * slope * slope;
    momentum[i] = m;
    variance[i] = v;
    const decay = (decays[i] as number) * job.weightDecay * (parameters[i] as number);
    parameters[i] =
      (parameters[i] as number) - rate * ((m * correct1) / (Math.sqrt(v * correct2) + EPSILON) + decay);
  }
}

/** Linear warm-up to 1, then half a cosine down to a twentieth. */
export function schedule(step: number, warmup: number, total: number): number {
  if (step < warmup) return (step + 1) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
  return 0.05 + 0.95 * 0.5 * (1 + Math.cos(Math.PI * progress));
}

if (parentPort) void main(workerData as WorkerJob);
