import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import type { GPT2Config } from "../model/config.js";
import { initialValues, parameterShapes } from "../model/parameters.js";
import type { WorkerJob, WorkerOrder } from "./pretrain-worker.js";

/** The lab model: 3.5M parameters, small enough to run anywhere and to train in an hour or two on two cores. */
export const LAB_CONFIG: GPT2Config = {
  nLayer: 6,
  nHead: 6,
  nPositions: 128,
  vocabSize: 4096,
  dModel: 192,
  dHead: 32,
  dMlp: 768,
  layerNormEpsilon: 1e-5,
  bosTokenId: 4095,
  eosTokenId: 4095,
};

export interface PretrainOptions {
  /** Holds train.bin and valid.bin, token ids as unsigned 16-bit integers. */
  corpus: string;
  /** Where checkpoints and the loss curve go. */
  folder: string;
  config?: GPT2Config;
  backend?: string;
  workers?: number;
  /** Sequences of the context's length per worker and step. */
  sequences?: number;
  steps: number;
  learningRate?: number;
  warmupSteps?: number;
  weightDecay?: number;
  seed?: number;
  /** Steps between reports, and between validations with a checkpoint. */
  reportEvery?: number;
  checkpointEvery?: number;
  onProgress?: (progress: PretrainProgress) => void;
}

export interface PretrainProgress {
  step: number;
  steps: number;
  /** Mean cross-entropy per token since the last report, in nats. */
  loss: number;
  /** Of held-out documents, where it has just been measured. */
  validationLoss?: number;
  tokensPerSecond: number;
  tokensSeen: number;
}

/** One line of the loss curve, `loss.jsonl`. */
export type LossPoint = Omit<PretrainProgress, "steps">;

/**
 * Trains a GPT-2 from scratch on a stream of tokens with AdamW, data-parallel over worker threads. Stops at `steps`;
 * started again on the same folder it goes on from the last checkpoint.
 *
 * @returns parameters by name
 */
export async function pretrain(options: PretrainOptions): Promise<Map<string, Float32Array>> {
  const config = options.config ?? LAB_CONFIG;
  const workers = options.workers ?? Math.min(2, availableParallelism());
  const sequences = options.sequences ?? 8;
  const { reportEvery = 20, checkpointEvery = 200, seed = 0 } = options;
  // Each worker multiplies on its own core; a BLAS that also spreads over all cores would only get in their way.
  process.env["OPENBLAS_NUM_THREADS"] ??= "1";
  mkdirSync(options.folder, { recursive: true });

  const shapes = [...parameterShapes(config)];
  const size = shapes.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const state = shared(3 * size);
  const [parameters, momentum, variance] = [0, 1, 2].map((i) => state.subarray(i * size, (i + 1) * size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const checkpoint = join(options.folder, "checkpoint.bin");
  let step = restore(checkpoint, state);
  const settings: PretrainSettings = {
    workers,
    sequences,
    seed,
    learningRate: options.learningRate ?? 2e-3,
    warmupSteps: options.warmupSteps ?? 200,
    weightDecay: options.weightDecay ?? 0.05,
  };
  keepSettings(options.folder, settings, step > 0);
  const curvePath = join(options.folder, "loss.jsonl");
  const curve: LossPoint[] = (step > 0 && existsSync(curvePath) ? readFileSync(curvePath, "utf8") : "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LossPoint)
    .filter((point) => point.step <= step);
  if (step === 0) {
    let offset = 0;
    for (const values of initialValues(config, seed).values()) {
      parameters.set(values, offset);
      offset += values.length;
    }
  }

  const sums = new Float64Array(new SharedArrayBuffer(8 * 4 * workers));
  const job: Omit<WorkerJob, "rank"> = {
    ...settings,
    config,
    backend: options.backend ?? "wasm",
    totalSteps: options.steps,
    trainTokens: readTokens(join(options.corpus, "train.bin")),
    validTokens: readTokens(join(options.corpus, "valid.bin")),
    parameters,
    momentum,
    variance,
    gradients: Array.from({ length: workers }, () => shared(size)),
    sums,
    barrier: new Int32Array(new SharedArrayBuffer(8)),
  };
  const team = await Promise.all(
    Array.from({ length: workers }, (_, rank) => Teammate.start({ ...job, rank })),
  );
  const all = async (order: WorkerOrder): Promise<number> => {
    const losses = await Promise.all(team.map((mate) => mate.run(order)));
    return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  };

  const tokensPerStep = workers * sequences * config.nPositions;
  try {
    while (step < options.steps) {
      const started = performance.now();
      const steps = Math.min(reportEvery, options.steps - step);
      const loss = await all({ kind: "train", firstStep: step, steps });
      if (!Number.isFinite(loss)) {
        throw new UserError(
          `pretraining diverged after step ${step}: loss ${loss}; start again from the checkpoint with a lower learning rate`,
        );
      }
      step += steps;
      const point: LossPoint = {
        step,
        loss,
        tokensPerSecond: (steps * tokensPerStep * 1000) / (performance.now() - started),
        tokensSeen: step * tokensPerStep,
      };
      if (step % checkpointEvery === 0 || step === options.steps) {
        await all({ kind: "validate" });
        point.validationLoss = sumOf(sums, 2) / sumOf(sums, 3);
        save(checkpoint, state, step);
      }
      curve.push(point);
      writeFileAtomic(curvePath, curve.map((p) => `${JSON.stringify(p)}\n`).join(""));
      options.onProgress?.({ ...point, steps: options.steps });
    }
  } finally {
    await Promise.all(team.map((mate) => mate.stop()));
  }
  return namedParameters(config, parameters);
}

/** What decides, with the corpus and the number of steps, how a run goes. */
export interface PretrainSettings {
  workers: number;
  sequences: number;
  seed: number;
  learningRate: number;
  warmupSteps: number;
  weightDecay: number;
  /** Anything else that a reader of the result should know, set by hand; the model's card repeats it. */
  note?: string;
}

/** Notes a run's settings beside its checkpoints; going on with others would be neither run. */
function keepSettings(folder: string, settings: PretrainSettings, goesOn: boolean): void {
  const path = join(folder, "settings.json");
  const before = goesOn && existsSync(path) ? readSettings(folder) : undefined;
  if (before) {
    const keys = Object.keys(settings) as (keyof PretrainSettings)[];
    const key = keys.find((name) => settings[name] !== before[name]);
    if (key) {
      throw new UserError(
        `${folder} holds a run with ${key} ${before[key]}, now ${settings[key]}: go on with the same, or start in another folder`,
      );
    }
  }
  writeJsonAtomic(path, { ...before, ...settings });
}

/** The settings of the run that a folder holds. */
export function readSettings(folder: string): PretrainSettings {
  return JSON.parse(readFileSync(join(folder, "settings.json"), "utf8")) as PretrainSettings;
}

/** The parameters of a checkpoint folder by name, and the step they were saved at. */
export function readCheckpoint(
  folder: string,
  config: GPT2Config = LAB_CONFIG,
): { step: number; values: Map<string, Float32Array> } {
  const size = [...parameterShapes(config).values()].reduce(
    (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const state = new Float32Array(3 * size);
  const step = restore(join(folder, "checkpoint.bin"), state);
  if (step === 0) throw new UserError(`no checkpoint in ${folder}: run \`npx alignscope lab build\` first`);
  return { step, values: namedParameters(config, state.subarray(0, size)) };
}

function namedParameters(config: GPT2Config, parameters: Float32Array): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  let offset = 0;
  for (const [name, shape] of parameterShapes(config)) {
    const size = shape.reduce((a, b) => a * b, 1);
    values.set(name, Float32Array.from(parameters.subarray(offset, offset + size)));
    offset += size;
  }
  return values;
}

/** A worker thread that answers each order with a loss. */
class Teammate {
  private constructor(private readonly worker: Worker) {}

  static async start(job: WorkerJob): Promise<Teammate> {
    const worker = new Worker(new URL("./pretrain-worker.js", import.meta.url), { workerData: job });
    const mate = new Teammate(worker);
    await mate.answer();
    return mate;
  }

  async run(order: WorkerOrder): Promise<number> {
    this.worker.postMessage(order);
    return (await this.answer()).loss ?? Number.NaN;
  }

  async stop(): Promise<void> {
    await this.worker.terminate();
  }

  private answer(): Promise<{ loss?: number }> {
    return new Promise((resolve, reject) => {
      this.worker.once("error", reject);
      this.worker.once("message", (message: { loss?: number }) => {
        this.worker.removeListener("error", reject);
        resolve(message);
      });
    });
  }
}

function shared(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

function sumOf(sums: Float64Array, column: number): number {
  let sum = 0;
  for (let i = column; i < sums.length; i += 4) sum += sums[i] ?? 0;
  return sum;
}

function readTokens(path: string): Uint16Array {
  if (!existsSync(path)) throw new UserError(`no tokens at ${path}: prepare the corpus first`);
  const bytes = readFileSync(path);
  const tokens = new Uint16Array(new SharedArrayBuffer(bytes.length));
  new Uint8Array(tokens.buffer).set(bytes);
  return tokens;
}

/** A checkpoint is the step, as a 64-bit float, then parameters and moments; written aside and renamed. */
function save(path: string, state: Float32Array, step: number): void {
  const aside = `${path}.tmp`;
  const file = openSync(aside, "w");
  writeSync(file, new Uint8Array(Float64Array.of(step).buffer));
  writeSync(file, new Uint8Array(state.buffer, state.byteOffset, state.byteLength));
  fsyncSync(file);
  closeSync(file);
  renameSync(aside, path);
}

function restore(path: string, state: Float32Array): number {
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path);
  if (bytes.length !== 8 + state.byteLength) {
    throw new UserError(
      `${path}: ${bytes.length} bytes, expected ${8 + state.byteLength}: a checkpoint of another model; remove it to start anew`,
    );
  }
  new Uint8Array(state.buffer, state.byteOffset, state.byteLength).set(bytes.subarray(8));
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 8))[0] ?? 0;
}
