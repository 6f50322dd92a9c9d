import { mkdirSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "@alignscope/base/errors";
import { withLock } from "@alignscope/base/lock";
import { explainFullDisk } from "@alignscope/base/system-errors";
import { GPT2 } from "../../model/index.js";
import type { TokenPair } from "../preference-pair.js";
import {
  Checkpoints,
  weightsChecksum,
  type RunIdentity,
  type Stopped,
  type WriteStage,
} from "./checkpoint.js";
import { ReferenceLogProbs, roundedToHalf } from "./log-probs.js";
import { RunLog, type DpoMetrics } from "./metrics.js";
import { replaceWeight, RmsProp } from "./optimizer.js";
import { checksumOfPairs, preparePairs, type PairsReport } from "./pairs.js";
import { resolveSettings, type DpoSettings, type DpoSettingsName } from "./settings.js";
import { trainedEntries, trainedParameters } from "./trainable.js";
import { evaluate, trainSteps, type DpoProgress } from "./trainer.js";

/** What to train, on what, and where to keep it. */
export interface DpoOptions extends Partial<DpoSettings> {
  /** The policy, trained in place; it is to be what the run began with, also where the run goes on. */
  model: GPT2;
  /** The model that the policy is held to; the policy as it begins unless given. */
  reference?: GPT2;
  /** In their order; the last `validationSize` are held out. */
  pairs: readonly TokenPair[];
  /** Holds the run's checkpoints, its log and what it came to; a run that was interrupted goes on in the same folder. */
  folder: string;
  /** Which set of settings the others are changes of: "corrected" unless given. */
  settings?: DpoSettingsName;
  /** Ends the run after the step under way, with a checkpoint; the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: DpoProgress) => void;
}

/** What a run came to. The policy holds the weights of the lowest validation loss. */
export interface DpoResult {
  /** Steps and training pairs until the end. */
  step: number;
  examples: number;
  /** The lowest validation loss, and after how many steps it was measured (0: before the first). */
  best: { step: number; loss: number };
  stopped: Stopped;
  /** Held-out pairs under the best policy. */
  validation: DpoMetrics;
  pairs: PairsReport;
  settings: DpoSettings;
  /** How many numbers were trained. */
  trainedEntries: number;
  /** The best policy, and the last one, each in Hugging Face's layout. */
  policyFolder: string;
  lastFolder: string;
  log: string;
  /** What a reader of the result should know: pairs that were left out or cut, a damaged checkpoint that was passed over. */
  notes: string[];
}

/**
 * Direct preference optimisation (Rafailov et al. 2023; docs/recipes.md#the-loss-of-dpo) with RMSProp, evaluated on held-out pairs
 * before the first step and every `evaluateEvery` pairs, until `patience` evaluations have brought no lower loss or the epochs
 * are over.
 * In the end the policy holds the weights of the lowest validation loss, and `folder/policy` has them on disk.
 *
 * A run that was interrupted, also by kill -9, goes on from its last checkpoint when it is started again with the same
 * arguments, to the same weights and the same log, bit by bit on the same backend.
 *
 * @throws UserError for pairs or settings that make no sense, a folder that holds another run, a loss or a gradient that is
 *   not a number, and a full disk; the last checkpoint is whole in any case
 *
 * @example
 * const model = await GPT2.load("data/lab/model");
 * const { best } = await trainDpo({ model, pairs, folder: "outputs/dpo", batchSize: 8, onProgress: ({ done, total }) => … });
 * // later, elsewhere
 * const policy = await loadPolicy("outputs/dpo");
 */
export async function trainDpo(options: DpoOptions): Promise<DpoResult> {
  mkdirSync(options.folder, { recursive: true });
  const locked = { what: options.folder, otherwise: "name another folder" };
  return withLock(join(options.folder, ".lock"), locked, () => run(options));
}

/** The best policy of a run, finished or not, from its folder. The caller disposes of it. */
export async function loadPolicy(folder: string): Promise<GPT2> {
  const best = Checkpoints.bestFolder(folder);
  if (!best) {
    throw new UserError(`no run of DPO in ${folder}: expected checkpoint.json, which trainDpo leaves there`);
  }
  return GPT2.load(best);
}

/**
 * {@link trainDpo} without a lock; `stage` is called before each stage of writing a checkpoint, for tests, which run it in a
 * process of its own.
 *
 * @public
 */
export async function run(options: DpoOptions, stage?: WriteStage): Promise<DpoResult> {
  const { model, folder, signal, onProgress } = options;
  // A reference that is trained would be none: the policy itself stands for what it begins with.
  const given = options.reference === model ? undefined : options.reference;
  const settings = settingsOf(options);
  const prepared = preparePairs(options.pairs, settings, model.config);
  const trained = trainedParameters(model, settings.trainable);
  const notes = notesOf(prepared.report);
  const identity: RunIdentity = {
    model: await weightsChecksum(model),
    reference: given ? await weightsChecksum(given) : "the model to start from",
    pairs: checksumOfPairs(options.pairs),
    settings: { ...settings },
  };
  const checkpoints = new Checkpoints(folder, model.config, stage);
  const found = await checkpoints.read(identity);
  checkpoints.removeOthers();
  if (found?.fellBack) notes.push(found.fellBack);

  const referenceModel = await liveReference(model, given, settings);
  let optimizer: RmsProp | undefined;
  let log: RunLog | undefined;
  try {
    // The reference is the policy before its first step, so it is asked before anything happens to the policy.
    const reference = await explainFullDisk("the reference's log-probabilities", () =>
      ReferenceLogProbs.prepare(
        join(folder, "reference.safetensors"),
        referenceModel ?? model,
        prepared,
        settings,
        { model: identity.model, reference: identity.reference, pairs: identity.pairs },
        { signal, onBatch: (done, total) => onProgress?.({ phase: "reference", done, total }) },
      ),
    );
    optimizer = new RmsProp(model, trained);
    if (found) optimizer.restore(found.parameters, found.optimizer);
    log = RunLog.open(join(folder, "log.jsonl"), found?.state.logLines ?? 0);
    const { training, validation } = prepared;
    const parts = { policy: model, optimizer, training, validation, settings, reference, referenceModel };
    const { state, best } = await trainSteps(
      { ...parts, log, identity, checkpoints, signal, onProgress },
      found,
    );
    for (const [name, values] of best) {
      replaceWeight(model, name, tf.tensor(values, model.weight(name).shape));
    }
    const metrics = await evaluate(model, validation, reference, settings, referenceModel);
    const policyFolder = join(folder, "policy");
    await explainFullDisk("the policy", () => model.save(policyFolder));
    return {
      ...{ step: state.step, examples: state.examples, best: state.best, validation: metrics, settings },
      stopped: state.finished,
      pairs: prepared.report,
      trainedEntries: trainedEntries(model, trained),
      policyFolder,
      lastFolder: Checkpoints.currentFolder(folder) as string,
      log: log.path,
      notes,
    };
  } finally {
    optimizer?.dispose();
    log?.close();
    if (referenceModel !== given) referenceModel?.dispose();
  }
}

/**
 * The reference's model where one is given or the loss needs one, with its weights rounded as they are to be. It shares
 * memory with the policy until that is trained.
 */
async function liveReference(
  policy: GPT2,
  given: GPT2 | undefined,
  { klGamma, referencePrecision }: DpoSettings,
): Promise<GPT2 | undefined> {
  if (!given && klGamma === 0) return undefined;
  if (referencePrecision === "float16") return roundedToHalf(given ?? policy);
  return given ?? policy.withWeights(new Map());
}

/** What of the options is no setting. */
const OTHER_OPTIONS = ["model", "reference", "pairs", "folder", "settings", "signal", "onProgress"];

function settingsOf(options: DpoOptions): DpoSettings {
  const overrides = Object.entries(options).filter(([name]) => !OTHER_OPTIONS.includes(name));
  return resolveSettings(options.settings, Object.fromEntries(overrides));
}

function notesOf({ truncated, duplicates, sameOnceTruncated }: PairsReport): string[] {
  const notes: string[] = [];
  const some = (ids: readonly string[]): string =>
    ids.length > 5 ? `${ids.slice(0, 5).join(", ")}, …` : ids.join(", ");
  if (truncated > 0) notes.push(`${truncated} pairs were cut to their first tokens`);
  if (duplicates.length > 0) {
    notes.push(`${duplicates.length} pairs are copies of others and left out: ${some(duplicates)}`);
  }
  if (sameOnceTruncated.length > 0) {
    notes.push(
      `${sameOnceTruncated.length} pairs have equal sides once cut and are left out: ${some(sameOnceTruncated)}`,
    );
  }
  return notes;
}
