import { workerData, parentPort } from "node:worker_threads";
import * as tf from "@tensorflow/tfjs-core";
import { openBackend } from "@alignscope/tensors";
import { tokenLogProbs } from "@alignscope/tensors/ops";
import { filledTensor, valuesInPlace } from "@alignscope/tensors/tensor-memory";
import { valueAndGradients } from "@alignscope/tensors/tape";
import { useBfloat16 } from "@alignscope/tensors/wasm/open";
import type { GPT2Config } from "../model/config.js";
import { GPT2 } from "../model/gpt2.js";
import { parameterShapes } from "../model/parameters.js";
import { activityPenalty } from "./activity-penalty.js";
import { Barrier } from "./barrier.js";
import { adamW, muon, muonSlabs, type Slab } from "./optimiser.js";
import { rateAt } from "./schedule.js";
import type { PretrainSettings } from "./pretrain-settings.js";
import { Windows } from "./windows.js";

/*
 * One of several workers that train together: each takes its share of every batch, all add their gradients up in shared
 * memory, and each then updates its share of the parameters. Sums run in a fixed order, so a run is reproducible for a
 * given number of workers.
 */

/** What the trainer hands to a worker; the arrays are views of shared memory. */
export interface WorkerJob extends PretrainSettings {
  rank: number;
  config: GPT2Config;
  backend: string;
  trainTokens: Uint16Array;
  validTokens: Uint16Array;
  /** All parameters in the order of parameterShapes. */
  parameters: Float32Array;
  /** First and second moments; Muon keeps no second ones. */
  momentum: Float32Array;
  variance: Float32Array;
  /** One gradient per worker. */
  gradients: Float32Array[];
  /** Per worker: loss, sum of squares of its share of the gradient, validation loss, validation sequences. */
  sums: Float64Array;
  barrier: Int32Array;
}

/** Run `steps` steps from `firstStep`, or measure the validation loss. */
export type WorkerOrder = { kind: "train"; firstStep: number; steps: number } | { kind: "validate" };

const MAX_GRADIENT_NORM = 1;

/** Sequences in one forward and backward pass; more of them take more memory and no less time. */
const PASS = 16;

async function main(job: WorkerJob): Promise<void> {
  await openBackend(job.backend);
  if (job.precision === "bfloat16") await useBfloat16();
  const barrier = new Barrier(job.barrier, job.workers);
  const shapes = [...parameterShapes(job.config)];
  const sizes = shapes.map(([, shape]) => tf.util.sizeFromShape(shape));
  const offsets = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const length = job.config.nPositions;
  const windows = new Windows(job.trainTokens, length, job.seed);
  const own = job.gradients[job.rank] as Float32Array;
  const hooks = activityPenalty(job.config, job.activityPenalty);

  /** Mean loss of sequences' next tokens; with `scale`, the gradient times it is added to this worker's. */
  const evaluate = (values: tf.Tensor[], sequences: number[][], scale?: number): number =>
    tf.tidy(() => {
      const model = GPT2.of(job.config, new Map(shapes.map(([name], i) => [name, values[i] as tf.Tensor])));
      const loss = (): tf.Scalar => {
        const read = model.layOut(sequences.map((sequence) => sequence.slice(0, -1)));
        const rows = model.finalNorm(model.residual(read, { hooks }));
        const targets = tf.tensor1d(
          sequences.flatMap((sequence) => sequence.slice(1)),
          "int32",
        );
        return tf.neg(tf.mean<tf.Scalar>(tokenLogProbs(rows, values[0] as tf.Tensor2D, targets)));
      };
      if (scale === undefined) return loss().dataSync()[0] ?? Number.NaN;
      const { value, gradients } = valueAndGradients(loss, values);
      gradients.forEach((gradient, i) => {
        if (!gradient) return;
        const slope = valuesInPlace(gradient);
        const at = offsets[i] as number;
        for (let j = 0; j < slope.length; j++) own[at + j]! += scale * slope[j]!;
      });
      return value.dataSync()[0] ?? Number.NaN;
    });

  /** The parameters of this moment as tensors, for as long as `use` takes. */
  const withParameters = <T>(use: (values: tf.Tensor[]) => T): T => {
    const values = shapes.map(([, shape], i) => {
      const from = offsets[i] as number;
      return filledTensor(shape, (data) =>
        data.set(job.parameters.subarray(from, from + (sizes[i] as number))),
      );
    });
    try {
      return use(values);
    } finally {
      tf.dispose(values);
    }
  };

  const share = Math.ceil(job.parameters.length / job.workers);
  const from = job.rank * share;
  const to = Math.min(from + share, job.parameters.length);
  const duties = dutiesOf(job, shapes, offsets, sizes);

  const step = (index: number): void => {
    own.fill(0);
    const first = (index * job.workers + job.rank) * job.sequences;
    let loss = 0;
    withParameters((values) => {
      for (let done = 0; done < job.sequences; done += PASS) {
        const count = Math.min(PASS, job.sequences - done);
        const sequences = Array.from({ length: count }, (_, i) => windows.at(first + done + i));
        loss += (evaluate(values, sequences, count / job.sequences) * count) / job.sequences;
      }
    });
    job.sums[job.rank * 4] = loss;
    barrier.wait();
    // Every worker averages its own share of all gradients, in the first worker's slot.
    const [total, ...others] = job.gradients as [Float32Array, ...Float32Array[]];
    for (const other of others) for (let i = from; i < to; i++) total[i]! += other[i]!;
    let squares = 0;
    for (let i = from; i < to; i++) {
      const mean = total[i]! / job.workers;
      total[i] = mean;
      squares += mean * mean;
    }
    job.sums[job.rank * 4 + 1] = squares;
    barrier.wait();
    let norm = 0;
    for (let worker = 0; worker < job.workers; worker++) norm += job.sums[worker * 4 + 1]!;
    const clip = Math.min(1, MAX_GRADIENT_NORM / (Math.sqrt(norm) + 1e-6));
    const { momentum, variance, parameters, weightDecay } = job;
    const state = { parameters, gradient: total, momentum, variance };
    const pace = rateAt(index, job);
    for (const { from, to, decays } of duties.ranges) {
      const rate = pace * job.learningRate;
      adamW(state, { from, to, step: index, rate, weightDecay: decays ? weightDecay : 0, clip });
    }
    for (const slab of duties.slabs) muon(state, slab, { rate: pace * job.matrixRate, weightDecay });
    barrier.wait();
  };

  const validate = (): void => {
    let sum = 0;
    let count = 0;
    const all = Math.floor((job.validTokens.length - 1) / length);
    withParameters((values) => {
      for (let window = job.rank * PASS; window < all; window += job.workers * PASS) {
        const sequences = Array.from({ length: Math.min(PASS, all - window) }, (_, i) =>
          Array.from(job.validTokens.subarray((window + i) * length, (window + i + 1) * length + 1)),
        );
        sum += evaluate(values, sequences) * sequences.length;
        count += sequences.length;
      }
    });
    job.sums[job.rank * 4 + 2] = sum;
    job.sums[job.rank * 4 + 3] = count;
  };

  parentPort?.on("message", (order: WorkerOrder) => {
    let loss = 0;
    if (order.kind === "validate") validate();
    else {
      for (let i = 0; i < order.steps; i++) {
        step(order.firstStep + i);
        loss += job.sums[job.rank * 4]! / order.steps;
      }
    }
    parentPort?.postMessage({ loss });
  });
  parentPort?.postMessage({ ready: true });
}

/** What a worker updates: ranges with AdamW, matrices with Muon. */
interface Duties {
  ranges: { from: number; to: number; decays: boolean }[];
  slabs: Slab[];
}

/** Each worker takes an even part of every parameter that is AdamW's, and of the matrices those that even the work out. */
function dutiesOf(job: WorkerJob, shapes: [string, number[]][], offsets: number[], sizes: number[]): Duties {
  const slabs = job.optimiser === "muon" ? muonSlabs(shapes) : [];
  const ranges = shapes.flatMap(([name, shape], i) => {
    const [offset, size] = [offsets[i] as number, sizes[i] as number];
    if (slabs.some((slab) => slab.offset >= offset && slab.offset < offset + size)) return [];
    const part = (rank: number): number => offset + Math.floor((rank * size) / job.workers);
    // Weight decay falls on matrices, not on biases, layer norms or positions.
    return [
      { from: part(job.rank), to: part(job.rank + 1), decays: shape.length === 2 && name !== "wpe.weight" },
    ];
  });
  const load = new Array<number>(job.workers).fill(0);
  const mine = [...slabs]
    .sort((a, b) => b.rows * b.columns - a.rows * a.columns)
    .filter((slab) => {
      const rank = load.indexOf(Math.min(...load));
      load[rank]! += slab.rows * slab.columns;
      return rank === job.rank;
    });
  return { ranges, slabs: mine };
}

if (parentPort) void main(workerData as WorkerJob);
