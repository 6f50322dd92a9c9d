import { setImmediate } from "node:timers/promises";
import { UserError } from "@alignscope/base/errors";
import type { GPT2 } from "../../model/index.js";
import type { TokenPair } from "../preference-pair.js";
import type { Checkpoint, Checkpoints, RunIdentity, RunState, Stopped } from "./checkpoint.js";
import { withRoom } from "./durable.js";
import { evaluate } from "./evaluation.js";
import type { DpoLearner } from "./learner.js";
import type { DpoRecord, RunLog } from "./log.js";
import { metricsOf } from "./metrics.js";
import type { ReferenceLogProbs } from "./reference.js";
import { batchAt, learningRateAt, orderOf } from "./schedule.js";
import type { DpoSettings } from "./settings.js";
import { weightsOf } from "./weights.js";

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
  learner: DpoLearner;
  training: readonly TokenPair[];
  validation: readonly TokenPair[];
  settings: DpoSettings;
  /** Names of the parameters that are trained. */
  trained: readonly string[];
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

/** Takes a run, from its beginning or from a checkpoint that has been restored, to its end. */
export async function toTheEnd(parts: RunParts, from?: Checkpoint): Promise<FinishedRun> {
  const run = new Run(parts, from?.state ?? BEGINNING, bestOf(parts, from));
  if (!from) await run.evaluate();
  return run.toTheEnd();
}

function bestOf({ trained }: RunParts, from?: Checkpoint): Map<string, Float32Array> {
  return new Map(from ? trained.map((name) => [name, from.best.get(name) as Float32Array]) : []);
}

class Run {
  private state: RunState;
  private order: { epoch: number; pairs: number[] } | undefined;

  constructor(
    private readonly parts: RunParts,
    state: RunState,
    private best: Map<string, Float32Array>,
  ) {
    this.state = { ...state };
  }

  async toTheEnd(): Promise<FinishedRun> {
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
    const { learner, training, settings, reference } = this.parts;
    const { state } = this;
    const { step, epoch, position } = state;
    if (this.order?.epoch !== epoch) this.order = { epoch, pairs: orderOf(epoch, training.length, settings) };
    const members = batchAt(this.order.pairs, position, settings.batchSize);
    const pairs = members.map((i) => training[i]!);
    const learningRate = learningRateAt(step, settings);
    const started = performance.now();
    const found = await learner.step(pairs, reference.ofBatch(epoch, position, members), learningRate);
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
    const { policy, validation, reference, referenceModel, settings, trained } = this.parts;
    const { state } = this;
    const metrics = await evaluate(policy, validation, reference, settings, referenceModel);
    if (!Number.isFinite(metrics.loss)) {
      await this.giveUp(`the validation loss after step ${state.step} is ${metrics.loss}`);
    }
    if (metrics.loss < state.best.loss) {
      state.best = { step: state.step, loss: metrics.loss };
      this.best = await weightsOf(policy, trained);
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
    await withRoom(log.path, () => log.append(record), this.safe());
    this.state.logLines = log.lines;
  }

  private async checkpoint(): Promise<void> {
    const { policy, learner, checkpoints, identity, log } = this.parts;
    const optimizer = new Map<string, Float32Array>();
    for (const [name, tensor] of learner.state) {
      optimizer.set(name, (await tensor.data<"float32">()).slice());
    }
    const parameters = await weightsOf(policy);
    const shapes = new Map([...parameters.keys()].map((name) => [name, policy.weight(name).shape]));
    const { state, best } = this;
    const write = (): void => {
      log.sync();
      checkpoints.write({ state, identity, parameters, best, optimizer }, shapes);
    };
    await withRoom(`the checkpoint of step ${state.step}`, write, this.safe());
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
    const { checkpoints, identity, learner } = this.parts;
    const last = await checkpoints.read(identity);
    if (last) learner.restore(last.parameters, last.optimizer);
    const state = last ? `; the policy is back at the checkpoint of step ${last.state.step}` : "";
    throw new UserError(
      `DPO diverged: ${what}${state}: look at these pairs, or start in another folder with a lower learningRate`,
    );
  }
}
