import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { explainFullDisk } from "@alignscope/base/system-errors";
import type { GPT2 } from "../../model/index.js";
import { valueAndGradients } from "@alignscope/tensors/tape";
import type { TokenPair } from "../preference-pair.js";
import { inParts, layoutOf, layOutPairs, type GradientSettings, type PairBatch } from "./batch.js";
import {
  weightsOf,
  type Checkpoint,
  type Checkpoints,
  type RunIdentity,
  type RunState,
  type Stopped,
} from "./checkpoint.js";
import { sideLogProbs, sideLogProbsAndKl, type ReferenceLogProbs, type SideLogProbs } from "./log-probs.js";
import {
  metricsOf,
  readFindings,
  scoresOf,
  type DpoMetrics,
  type DpoRecord,
  type Findings,
  type PairScore,
  type RunLog,
  type Unread,
} from "./metrics.js";
import type { RmsProp } from "./optimizer.js";
import { batchAt, orderOf } from "./pairs.js";
import type { DpoSettings } from "./settings.js";

/** How far a run is. */
export interface DpoProgress {
  /** Reference log-probabilities come first, unless a run before has left them. */
  phase: "reference" | "training";
  /** Pairs done, and pairs at most: patience may end a run before. */
  done: number;
  total: number;
  step?: number;
  /** Of the step that has just been taken. */
  loss?: number;
  validationLoss?: number;
  bestValidationLoss?: number;
}

/** What the steps of a run work with. */
export interface RunParts {
  policy: GPT2;
  optimizer: RmsProp;
  training: readonly TokenPair[];
  validation: readonly TokenPair[];
  settings: DpoSettings;
  reference: ReferenceLogProbs;
  referenceModel?: GPT2;
  log: RunLog;
  checkpoints: Checkpoints;
  identity: RunIdentity;
  signal?: AbortSignal;
  onProgress?: (progress: DpoProgress) => void;
}

/** A run that is over: where it stands, and its best weights of what is trained. */
export interface FinishedRun {
  state: RunState & { finished: Stopped };
  best: Map<string, Float32Array>;
}

const BEGINNING: RunState = {
  ...{ step: 0, examples: 0, epoch: 0, position: 0, evaluations: 0, evaluatedAt: 0 },
  ...{ best: { step: 0, loss: Infinity }, improvedTo: Infinity, sinceImproved: 0 },
  ...{ logLines: 0, finished: null },
};

/** Trains from the beginning of a run, or from a checkpoint that has been restored, until the run is over. */
export async function trainSteps(parts: RunParts, from?: Checkpoint): Promise<FinishedRun> {
  const run = new Run(parts, from);
  if (!from) await run.evaluate();
  return run.train();
}

class Run {
  private readonly state: RunState;
  private best: Map<string, Float32Array>;
  private order: { epoch: number; pairs: number[] } | undefined;

  constructor(
    private readonly parts: RunParts,
    from?: Checkpoint,
  ) {
    this.state = { ...(from?.state ?? BEGINNING) };
    const { names } = parts.optimizer;
    this.best = new Map(from ? names.map((name) => [name, from.best.get(name) as Float32Array]) : []);
  }

  async train(): Promise<FinishedRun> {
    const { signal } = this.parts;
    for (;;) {
      const { finished } = this.state;
      if (finished) return { state: { ...this.state, finished }, best: this.best };
      await setImmediate(); // lets signals and timers through between steps
      if (signal?.aborted) {
        await this.checkpoint();
        signal.throwIfAborted();
      }
      await this.step();
      const { examples, evaluatedAt } = this.state;
      const every = this.parts.settings.evaluateEvery;
      const due = Math.floor(examples / every) > Math.floor(evaluatedAt / every);
      if (due || this.isOver()) await this.evaluate();
    }
  }

  private isOver(): boolean {
    return this.state.epoch >= this.parts.settings.epochs;
  }

  private async step(): Promise<void> {
    const { policy, optimizer, training, settings, reference, referenceModel } = this.parts;
    const { state } = this;
    const { step, epoch, position } = state;
    if (this.order?.epoch !== epoch) this.order = { epoch, pairs: orderOf(epoch, training.length, settings) };
    const members = batchAt(this.order.pairs, position, settings.batchSize);
    const pairs = members.map((i) => training[i]!);
    const learningRate = learningRateAt(step, settings);
    const started = performance.now();
    const frozen = reference.ofBatch(epoch, position, members);
    const found = await dpoStep(
      { policy, optimizer, pairs, reference: frozen, referenceModel, settings },
      learningRate,
    );
    const seconds = (performance.now() - started) / 1000;
    const metrics = metricsOf(found.scores, settings);
    if (!Number.isFinite(metrics.loss) || !Number.isFinite(found.gradNorm)) {
      const ids = pairs.map(({ id }) => id).join(", ");
      await this.giveUp(
        `step ${step + 1} has loss ${metrics.loss} and gradient norm ${found.gradNorm} on the pairs ${ids}`,
      );
    }
    state.step += 1;
    state.examples += pairs.length;
    state.position += pairs.length;
    if (state.position >= training.length) {
      state.epoch += 1;
      state.position = 0;
    }
    await this.append({
      kind: "train",
      ...{ step: state.step, examples: state.examples, epoch },
      ...metrics,
      kl_kind: settings.klGamma > 0 ? "exact" : "sampled",
      grad_norm: found.gradNorm,
      learning_rate: learningRate,
      pairs: pairs.map(({ id }) => id),
      tokens_per_second: Math.round(found.tokens / seconds),
    });
    this.report({ loss: metrics.loss });
  }

  /** Measures the held-out pairs; decides whether this policy is the best so far, and whether the run is over. */
  async evaluate(): Promise<void> {
    const { policy, validation, reference, referenceModel, settings, optimizer } = this.parts;
    const { state } = this;
    const metrics = await evaluate(policy, validation, reference, settings, referenceModel);
    if (!Number.isFinite(metrics.loss)) {
      await this.giveUp(`the validation loss after step ${state.step} is ${metrics.loss}`);
    }
    if (metrics.loss < state.best.loss) {
      state.best = { step: state.step, loss: metrics.loss };
      this.best = await weightsOf(policy, optimizer.names);
    }
    if (metrics.loss < state.improvedTo - settings.minImprovement) {
      state.improvedTo = metrics.loss;
      state.sinceImproved = 0;
    } else {
      state.sinceImproved += 1;
    }
    state.evaluatedAt = state.examples;
    if (state.sinceImproved >= settings.patience) state.finished = "patience";
    else if (this.isOver()) state.finished = "epochs";
    await this.append({
      kind: "valid",
      ...{ step: state.step, examples: state.examples, epoch: state.epoch },
      ...metrics,
      kl_kind: referenceModel ? "exact" : "sampled",
      best_loss: state.best.loss,
      since_improved: state.sinceImproved,
    });
    const due = state.evaluations % settings.checkpointEvery === 0;
    state.evaluations += 1;
    if (due || state.finished) await this.checkpoint();
    this.report({ validationLoss: metrics.loss });
  }

  private async append(record: DpoRecord): Promise<void> {
    const { log } = this.parts;
    await explainFullDisk(log.path, () => log.append(record), this.safe());
    this.state.logLines = log.lines;
  }

  private async checkpoint(): Promise<void> {
    const { policy, optimizer, checkpoints, identity, log } = this.parts;
    const meanSquares = new Map<string, Float32Array>();
    for (const [name, tensor] of optimizer.state) {
      meanSquares.set(name, (await tensor.data<"float32">()).slice());
    }
    const parameters = await weightsOf(policy);
    const shapes = new Map([...parameters.keys()].map((name) => [name, policy.weight(name).shape]));
    const { state, best } = this;
    const write = (): void => {
      log.sync();
      checkpoints.write({ state, identity, parameters, best, optimizer: meanSquares }, shapes);
    };
    await explainFullDisk(`the checkpoint of step ${state.step}`, write, this.safe());
  }

  /** What a full disk has not touched. */
  private safe(): string {
    const step = this.parts.checkpoints.currentStep;
    return step === undefined ? "" : `the checkpoint of step ${step} is whole: `;
  }

  private report(news: Pick<DpoProgress, "loss" | "validationLoss">): void {
    const { settings, training, onProgress } = this.parts;
    const { step, examples, best } = this.state;
    const total = settings.epochs * training.length;
    onProgress?.({ phase: "training", done: examples, total, step, bestValidationLoss: best.loss, ...news });
  }

  /** Puts the policy back to the last checkpoint, if there is one, and ends the run. */
  private async giveUp(what: string): Promise<never> {
    const { checkpoints, identity, optimizer } = this.parts;
    const last = await checkpoints.read(identity);
    if (last) optimizer.restore(last.parameters, last.optimizer);
    const state = last ? `; the policy is back at the checkpoint of step ${last.state.step}` : "";
    throw new UserError(
      `DPO diverged: ${what}${state}: look at these pairs, or start in another folder with a lower learningRate`,
    );
  }
}

/** The learning rate of a step, counted from 0: warmed up linearly, then constant (docs/recipes.md#steps-of-dpo). */
export function learningRateAt(
  step: number,
  { learningRate, warmupSteps }: Pick<DpoSettings, "learningRate" | "warmupSteps">,
): number {
  return learningRate * Math.min(1, (step + 1) / (warmupSteps + 1));
}

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

/** What a step works with: what is differentiated, and the optimiser of what is trained. */
export type StepRequest = Omit<GradientRequest, "names" | "masks"> & { optimizer: RmsProp };

/**
 * One step on the mean loss of some pairs. What it found is read once, when the update is under way already: on numbers
 * that are not finite the policy is spoilt, and the caller's to put right.
 */
export async function dpoStep(
  { optimizer, ...request }: StepRequest,
  learningRate: number,
): Promise<Findings> {
  const { names, masks } = optimizer;
  const found = dpoGradient({ names, masks, ...request });
  optimizer.update(found.gradients, learningRate);
  return readFindings(found, request.reference);
}

/** What is differentiated. */
export interface GradientRequest {
  policy: GPT2;
  /** Names of the parameters that the gradient is taken by. */
  names: readonly string[];
  /** Masks of ones and zeros by name, for parameters of which only entries are trained. */
  masks?: ReadonlyMap<string, tf.Tensor>;
  pairs: readonly TokenPair[];
  /** By pair. */
  reference: readonly SideLogProbs[];
  /** Needed where `klGamma` is above 0. */
  referenceModel?: GPT2;
  settings: GradientSettings;
}

/** The gradient of the mean loss of some pairs, scaled down to `maxGradNorm`. The tensors are the caller's. */
export interface DpoGradient extends Unread {
  /** By name, each shaped like the parameter. */
  gradients: Map<string, tf.Tensor>;
}

/** The gradient of the mean DPO loss over pairs, by parts of `microBatchSize` pairs, clipped without being read. */
export function dpoGradient(request: GradientRequest): DpoGradient {
  const { policy, names, masks, pairs, settings } = request;
  const withKl = settings.klGamma > 0;
  const parts = inParts(pairs, settings.microBatchSize, layoutOf(settings, withKl), policy.config);
  const sums = new Map<string, tf.Tensor>();
  const found: tf.Tensor1D[] = [];
  try {
    for (const { part, members } of parts) {
      const gradients = gradientOfPart(request, part, members, found);
      names.forEach((name, i) => {
        const own = gradients[i] as tf.Tensor;
        const sum = sums.get(name);
        sums.set(name, sum ? tf.add(sum, own) : own);
        if (sum) tf.dispose([sum, own]);
      });
    }
    for (const [name, mask] of masks ?? []) {
      const whole = sums.get(name) as tf.Tensor;
      sums.set(name, tf.mul(whole, mask));
      whole.dispose();
    }
    const findings = tf.tidy(() => {
      const squares = tf.sum(tf.concat([...sums.values()].map(sumOfSquares)));
      // As torch.nn.utils.clip_grad_norm_ has it.
      const scale = tf.minimum(tf.div(settings.maxGradNorm, tf.add(tf.sqrt(squares), 1e-6)), 1);
      for (const [name, gradient] of sums) {
        sums.set(name, tf.keep(tf.mul(gradient, scale)));
        gradient.dispose();
      }
      return tf.concat<tf.Tensor1D>([tf.reshape(squares, [1]), ...found]);
    });
    return { gradients: sums, findings, parts, withKl };
  } catch (error) {
    tf.dispose([...sums.values()]);
    throw error;
  } finally {
    tf.dispose(found);
  }
}

/** By parameter; what the pairs' sides came to is added to `found`. */
function gradientOfPart(
  { policy, names, pairs, reference, referenceModel, settings }: GradientRequest,
  part: PairBatch,
  members: readonly number[],
  found: tf.Tensor1D[],
): tf.Tensor[] {
  const sources = names.map((name) => policy.weight(name));
  return tf.tidy(() => {
    const frozen = tf.tensor1d([0, 1].flatMap((side) => members.map((i) => reference[i]![side as 0 | 1])));
    const options = { gradient: "parameters" as const };
    const loss = (): tf.Scalar => {
      if (settings.klGamma === 0) {
        const logProbs = sideLogProbs(policy, part, options);
        found.push(tf.keep(logProbs));
        return tf.mul(tf.sum(dpoLosses(logProbs, frozen, settings.beta)), 1 / pairs.length);
      }
      if (!referenceModel) throw new Error("dpoGradient: klGamma above 0 needs the reference's model");
      const everyPosition = settings.countPrompt;
      const { logProbs, kl } = sideLogProbsAndKl(policy, referenceModel, part, everyPosition, options);
      found.push(tf.keep(tf.concat<tf.Tensor1D>([logProbs, kl])));
      const losses = tf.sum(dpoLosses(logProbs, frozen, settings.beta));
      return tf.mul(tf.add(losses, tf.mul(tf.sum(kl), settings.klGamma)), 1 / pairs.length);
    };
    const { gradients } = valueAndGradients(loss, sources);
    return gradients.map((gradient, i) => gradient ?? tf.zeros((sources[i] as tf.Tensor).shape));
  });
}

/** Along rows first: partial sums of like size lose less than one long sum. */
function sumOfSquares(x: tf.Tensor): tf.Tensor1D {
  const squares = tf.square(x);
  return tf.reshape(tf.sum(x.rank > 1 ? tf.sum(squares, -1) : squares), [1]);
}

/**
 * The loss of DPO, one per preference pair (Rafailov et al. 2023, equation 7; docs/recipes.md#the-loss-of-dpo):
 * −log σ(β((log π(chosen) − log π(rejected)) − (log π_ref(chosen) − log π_ref(rejected)))).
 *
 * @param policy log-probabilities of sequences, `[2·pairs]`, the chosen ones first, then the rejected ones in the same order
 * @param reference the same of the reference model
 * @returns `[pairs]`, in nats; ln 2 each while the policy is the reference
 */
export function dpoLosses(policy: tf.Tensor1D, reference: tf.Tensor1D, beta: number): tf.Tensor1D {
  return tf.tidy(() => {
    const gain = tf.sub(policy, reference);
    const pairs = (gain.shape[0] ?? 0) / 2;
    const margin = tf.sub(tf.slice(gain, [0], [pairs]), tf.slice(gain, [pairs], [pairs]));
    return tf.softplus(tf.mul<tf.Tensor1D>(margin, -beta));
  });
}
