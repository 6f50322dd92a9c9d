import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { basename, join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import type { GPT2Config } from "../model/config.js";
import { initialValues, parameterShapes } from "../model/parameters.js";
import { restoreCheckpoint, saveCheckpoint } from "./checkpoint.js";
import type { WorkerJob, WorkerOrder } from "./pretrain-worker.js";
import { PRETRAIN_DEFAULTS, type PretrainSettings } from "./pretrain-settings.js";

export interface PretrainOptions extends Partial<PretrainSettings> {
  /** Holds train.bin and valid.bin, token ids as unsigned 16-bit integers. */
  corpus: string;
  /** Where checkpoints and the loss curve go. */
  folder: string;
  config: GPT2Config;
  backend?: string;
  /** The run ends here; with more steps it goes on. */
  steps: number;
  /** What to start from; else fresh parameters of the seed. */
  initial?: Grown;
  /** Steps between reports, and between validations with a checkpoint. */
  reportEvery?: number;
  checkpointEvery?: number;
  onProgress?: (progress: PretrainProgress) => void;
}

/** Parameters by name that are grown from another training's, and what went into these. */
export interface Grown extends Growth {
  values: ReadonlyMap<string, Float32Array>;
}

/** Of which model a run was grown. */
export interface Growth {
  layers: number;
  tokensSeen: number;
}

export interface PretrainProgress {
  step: number;
  steps: number;
  /** Mean cross-entropy per token since the last report, in nats. */
  loss: number;
  /** Of held-out documents, where it has just been measured. */
  validationLoss?: number;
  tokensPerSecond: number;
  /** With those of the model that it was grown from. */
  tokensSeen: number;
}

const CHECKPOINT = "checkpoint.bin";

/** One line of the loss curve, `loss.jsonl`. */
export type LossPoint = Omit<PretrainProgress, "steps">;

/**
 * Trains a GPT-2 from scratch on a stream of tokens, data-parallel over worker threads. Stops at `steps`; started again on
 * the same folder it goes on from the last checkpoint.
 *
 * @returns parameters by name
 */
export async function pretrain(options: PretrainOptions): Promise<Map<string, Float32Array>> {
  const { config, reportEvery = 20, checkpointEvery = 200 } = options;
  const settings = settingsOf(options);
  const { workers, sequences, seed } = settings;
  // Each worker multiplies on its own core; a BLAS that also spreads over all cores would only get in their way.
  process.env["OPENBLAS_NUM_THREADS"] ??= "1";
  mkdirSync(options.folder, { recursive: true });

  const size = sizeOf(config);
  const state = shared(3 * size);
  const [parameters, momentum, variance] = [0, 1, 2].map((i) => state.subarray(i * size, (i + 1) * size)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const checkpoint = join(options.folder, CHECKPOINT);
  let step = restoreCheckpoint(checkpoint, state);
  const grownFrom = keepSettings(options.folder, { ...settings, config }, step > 0, options.initial);
  const curvePath = join(options.folder, "loss.jsonl");
  const curve = step > 0 ? readCurve(options.folder, step) : [];
  if (step === 0) {
    let offset = 0;
    const initial = options.initial?.values ?? initialValues(config, seed);
    for (const name of parameterShapes(config).keys()) {
      const values = initial.get(name) as Float32Array;
      parameters.set(values, offset);
      offset += values.length;
    }
  }

  const sums = new Float64Array(new SharedArrayBuffer(8 * 4 * workers));
  const job: Omit<WorkerJob, "rank"> = {
    ...settings,
    config,
    backend: options.backend ?? "wasm",
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
        tokensSeen: step * tokensPerStep + (grownFrom?.tokensSeen ?? 0),
      };
      if (step % checkpointEvery === 0 || step === options.steps) {
        await all({ kind: "validate" });
        point.validationLoss = sumOf(sums, 2) / sumOf(sums, 3);
        saveCheckpoint(checkpoint, state, step);
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

function settingsOf(options: PretrainOptions): PretrainSettings {
  const names = Object.keys({
    ...PRETRAIN_DEFAULTS,
    decayFrom: 0,
    decaySteps: 0,
  }) as (keyof PretrainSettings)[];
  const given = Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
  const workers = Math.min(PRETRAIN_DEFAULTS.workers, availableParallelism());
  return { ...PRETRAIN_DEFAULTS, workers, ...given };
}

/** A run as its folder describes it. */
export interface RunSettings extends PretrainSettings {
  config: GPT2Config;
  grownFrom?: Growth;
}

const settingsPath = (folder: string): string => join(folder, "settings.json");

/** Notes a run's settings beside its checkpoints; going on with others would be neither run. Tells what it was grown from. */
function keepSettings(
  folder: string,
  settings: Omit<RunSettings, "grownFrom">,
  goesOn: boolean,
  grown?: Growth,
): Growth | undefined {
  let grownFrom = grown && { layers: grown.layers, tokensSeen: grown.tokensSeen };
  if (goesOn && existsSync(settingsPath(folder))) {
    const { grownFrom: first, ...before } = readSettings(folder);
    // What it was grown from may have been trained on since.
    grownFrom = first;
    const names = Object.keys({ ...before, ...settings }) as (keyof typeof settings)[];
    const other = names.find((name) => JSON.stringify(settings[name]) !== JSON.stringify(before[name]));
    if (other) {
      const [was, is] = [before, settings].map((all) => JSON.stringify(all[other]));
      throw new UserError(
        `${folder} holds a run with ${other} ${was}, now ${is}: go on with the same, or start in another folder`,
      );
    }
  }
  writeJsonAtomic(settingsPath(folder), { ...settings, ...(grownFrom && { grownFrom }) });
  return grownFrom;
}

/**
 * The settings of the run that a folder holds.
 *
 * @throws UserError when it holds none
 */
export function readSettings(folder: string): RunSettings {
  if (!existsSync(settingsPath(folder))) {
    throw new UserError(`no run in ${folder}: start one with \`npx alignscope lab build\``);
  }
  return JSON.parse(readFileSync(settingsPath(folder), "utf8")) as RunSettings;
}

/** The loss curve of the run that a folder holds, up to a step. */
export function readCurve(folder: string, step = Infinity): LossPoint[] {
  const path = join(folder, "loss.jsonl");
  return (existsSync(path) ? readFileSync(path, "utf8") : "")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LossPoint)
    .filter((point) => point.step <= step);
}

/**
 * The parameters of a run's last checkpoint by name, and the step they were saved at.
 *
 * @throws UserError when there is no checkpoint yet
 */
export function readCheckpoint(folder: string): { step: number; values: Map<string, Float32Array> } {
  const { config } = readSettings(folder);
  const size = sizeOf(config);
  const state = new Float32Array(3 * size);
  const step = restoreCheckpoint(join(folder, CHECKPOINT), state);
  if (step === 0) throw new UserError(`no checkpoint in ${folder} yet: wait for one, or start the run again`);
  return { step, values: namedParameters(config, state.subarray(0, size)) };
}

/**
 * Takes a run's last checkpoint aside, so that it can be decayed to a model while the run goes on. What is aside already
 * stays as it is.
 *
 * @returns the folder, and the options with which {@link pretrain} decays it to its end
 */
export function annealing(
  folder: string,
  decaySteps: number,
): { folder: string; options: Partial<PretrainOptions> & { config: GPT2Config; steps: number } } {
  const { decayFrom: _from, decaySteps: _steps, ...settings } = readSettings(folder);
  const { step } = readCheckpoint(folder);
  const aside = join(folder, `annealed-${step}-${decaySteps}`);
  const schedule = { ...settings, decayFrom: step, decaySteps };
  if (!existsSync(join(aside, CHECKPOINT))) {
    const files = [join(folder, CHECKPOINT), join(folder, "loss.jsonl")];
    for (const file of files) writeFileAtomic(join(aside, basename(file)), readFileSync(file));
    writeJsonAtomic(settingsPath(aside), schedule);
  }
  return { folder: aside, options: { ...schedule, steps: step + decaySteps } };
}

/**
 * Deeper parameters from those of a trained model (progressive stacking, Gong et al. 2019): block i of `nLayer` is block
 * ⌊i · n / nLayer⌋ of the n there are. What each copy writes is scaled down, so that the sum stays as large.
 */
export function stacked(
  values: ReadonlyMap<string, Float32Array>,
  from: GPT2Config,
  to: GPT2Config,
): Map<string, Float32Array> {
  const { nLayer: n } = from;
  const { nLayer } = to;
  if (!isDeepStrictEqual({ ...from, nLayer }, { ...to }) || nLayer % n !== 0) {
    throw new UserError(
      `stacking ${n} blocks of width ${from.dModel} and ${from.vocabSize} tokens to ${nLayer} of ${to.dModel} and ${to.vocabSize}: expected the same width and vocabulary, and a multiple of the blocks`,
    );
  }
  const deeper = new Map<string, Float32Array>();
  for (const name of parameterShapes(to).keys()) {
    const source = name.replace(
      /^h\.(\d+)\./,
      (_, layer) => `h.${Math.floor((Number(layer) * n) / nLayer)}.`,
    );
    const value = values.get(source) as Float32Array;
    deeper.set(name, /^h\..*c_proj\./.test(name) ? value.map((x) => (x * n) / nLayer) : value);
  }
  return deeper;
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

function sizeOf(config: GPT2Config): number {
  let size = 0;
  for (const shape of parameterShapes(config).values()) size += shape.reduce((a, b) => a * b, 1);
  return size;
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
