import { UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import type { Trainable } from "./trainable.js";

/**
 * What decides, with the model, its reference and the pairs, how a run of DPO goes. Where the paper's text and its code
 * differ, or the code does what nobody would mean, each choice is an option of its own. Where the values come
 * from: docs/recipes.md#steps-of-dpo and the headings around it; differences are numbered as in docs/discrepancies.md.
 */
export interface DpoSettings {
  /** How far the policy may go from the reference: β of the loss. */
  beta: number;
  learningRate: number;
  /** Steps over which the learning rate grows: step t (from 0) takes learningRate · min(1, (t + 1) / (warmupSteps + 1)). */
  warmupSteps: number;
  /** Pairs per step. */
  batchSize: number;
  /** Pairs per forward and backward pass; a step adds up as many as it needs. 0: the whole batch at once. */
  microBatchSize: number;
  /** The norm that a longer gradient is scaled down to, over all entries that are trained. */
  maxGradNorm: number;
  /** Prompts keep their first so many tokens. */
  maxPromptTokens: number;
  /** Continuations keep their first so many tokens. */
  maxNewTokens: number;
  /** Pairs that are held out for validation: the last ones. */
  validationSize: number;
  /** Held-out pairs per forward pass. */
  evaluationBatchSize: number;
  /** Training pairs between two evaluations. */
  evaluateEvery: number;
  /** Evaluations between two checkpoints; one is always written at the beginning, at the end and when a run is aborted. */
  checkpointEvery: number;
  /** Evaluations without an improvement of the validation loss after which a run stops. */
  patience: number;
  /** By how much, in nats, a validation loss has to be below the last one that counted to be an improvement. */
  minImprovement: number;
  /** Passes over the training pairs at most. */
  epochs: number;
  /** Which entries of the policy are trained. */
  trainable: Trainable;
  /** Decides the order of the pairs in each epoch. */
  seed: number;
  /** Whether each epoch takes the pairs in an order of its own; if not, in theirs (difference 10). */
  shuffle: boolean;
  /** Whether the second of two equal pairs is left out. */
  dropDuplicates: boolean;
  /** Weight of KL(reference ‖ policy), averaged over positions and added up over both sides, in the loss. */
  klGamma: number;
  /** What the reference's weights are rounded to. Its arithmetic is float32 all the same; the official code's is not. */
  referencePrecision: "float32" | "float16";
  /** Whether log-probabilities of a side include its prompt (difference 9). */
  countPrompt: boolean;
  /**
   * Whether the shorter side of a batch is filled up with token 0 ("!") whose log-probabilities count (difference 9). Nobody
   * attends to these tokens, but they do attend to the text before them.
   */
  countSidePadding: boolean;
  /** Whether end-of-text tokens within a text neither count nor are seen by others. */
  maskEos: boolean;
  /** Where positions begin: at the first token, or at the left edge of a batch, so that pads shift a text (difference 19). */
  positions: "first token" | "left edge";
}

/** Names of whole sets of settings. */
export type DpoSettingsName = "corrected" | "as-published";

/**
 * Every setting by the name of its set.
 *
 * What `as-published` does not repeat: the official reference computes in half precision and its policy's products in
 * TensorFloat-32, here both are float32; an evaluation before the first step and one at the end are added, which may find
 * the best policy. Its attention mask is repeated to what it does to pads that attend to nothing but masked positions
 * (`hidingMask`).
 */
export const DPO_SETTINGS: Record<DpoSettingsName, Readonly<DpoSettings>> = {
  corrected: {
    beta: 0.1, //                          paper and code
    learningRate: 1e-6, //                 the code since 2024-05-31, 1e-5 before (difference 7)
    warmupSteps: 150, //                   the code; the paper does not say (difference 12)
    batchSize: 4, //                       the code
    microBatchSize: 0, //                  the code accumulates none
    maxGradNorm: 10, //                    Table 5
    maxPromptTokens: 64, //                the code
    maxNewTokens: 64, //                   the code
    validationSize: 64, //                 the code; the paper does not say (difference 12)
    evaluationBatchSize: 8, //             the code
    evaluateEvery: 100, //                 the code; the paper does not say (difference 12)
    checkpointEvery: 5, //                 a checkpoint is three times the model
    patience: 10, //                       Table 5; the code has 30 (difference 1)
    minImprovement: 0, //                  any lower loss counts
    epochs: 5, //                          what the code's configuration asks for, and does not get (difference 10)
    trainable: "all", //                   parameters, as the paper has it
    seed: 42, //                           the code
    shuffle: true, //                      what the code means to do (difference 10)
    dropDuplicates: true, //               –
    klGamma: 0, //                         the paper's loss has no such term (difference 8)
    referencePrecision: "float32", //      so that the loss begins at ln 2
    countPrompt: false, //                 the paper's equation: log π(y | x)
    countSidePadding: false, //            likewise
    maskEos: false, //                     likewise
    positions: "first token", //           likewise
  },
  "as-published": {
    beta: 0.1,
    learningRate: 1e-6, //                 1e-5 before 2024-05-31 (difference 7)
    warmupSteps: 150,
    batchSize: 4,
    microBatchSize: 0,
    maxGradNorm: 10,
    maxPromptTokens: 64,
    maxNewTokens: 64,
    validationSize: 64, //                 the last 64 lines
    evaluationBatchSize: 8,
    evaluateEvery: 100,
    checkpointEvery: 5, //                 a checkpoint is three times the model
    patience: 30, //                       Table 5 has 10 (difference 1)
    minImprovement: 0,
    epochs: 1, //                          the iterator is consumed once (difference 10)
    trainable: "all",
    seed: 42, //                           decides nothing without a shuffle
    shuffle: false, //                     difference 10
    dropDuplicates: false,
    klGamma: 0, //                         what is left since 2024-08-08; a fork has 0.06 (difference 8)
    referencePrecision: "float16", //      difference 11
    countPrompt: true, //                  difference 9
    countSidePadding: true, //             difference 9
    maskEos: true, //                      docs/recipes.md#the-loss-of-dpo
    positions: "left edge", //             difference 19
  },
};

/** A named set of settings with some of them changed; what makes no sense is refused. */
export function resolveSettings(
  name: DpoSettingsName = "corrected",
  overrides: Partial<DpoSettings> = {},
): DpoSettings {
  const base = DPO_SETTINGS[name] as DpoSettings | undefined;
  if (!base) {
    throw new UserError(`unknown settings of DPO: ${name} (expected "corrected" or "as-published")`);
  }
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  for (const [key] of given) {
    if (!(key in base)) {
      throw new UserError(`unknown setting of DPO: ${key} (${suggestion(key, Object.keys(base))})`);
    }
  }
  const settings = { ...base, ...Object.fromEntries(given) };
  check(settings);
  return settings;
}

const COUNTS = [
  "batchSize",
  "validationSize",
  "evaluationBatchSize",
  "evaluateEvery",
  "checkpointEvery",
] as const;
const LIMITS = ["patience", "epochs", "maxPromptTokens", "maxNewTokens"] as const;

function check(settings: DpoSettings): void {
  const refuse = (key: keyof DpoSettings, expected: string): never => {
    throw new UserError(`DPO: ${key} is ${JSON.stringify(settings[key])}, expected ${expected}`);
  };
  for (const key of [...COUNTS, ...LIMITS]) {
    if (!Number.isInteger(settings[key]) || settings[key] < 1) refuse(key, "an integer of at least 1");
  }
  for (const key of ["warmupSteps", "microBatchSize", "seed"] as const) {
    if (!Number.isInteger(settings[key]) || settings[key] < 0) refuse(key, "an integer of at least 0");
  }
  for (const key of ["beta", "learningRate", "maxGradNorm"] as const) {
    if (!(Number.isFinite(settings[key]) && settings[key] > 0)) refuse(key, "a number above 0");
  }
  for (const key of ["klGamma", "minImprovement"] as const) {
    if (!(Number.isFinite(settings[key]) && settings[key] >= 0)) refuse(key, "a number of at least 0");
  }
  if (!["float32", "float16"].includes(settings.referencePrecision)) {
    refuse("referencePrecision", '"float32" or "float16"');
  }
  if (!["first token", "left edge"].includes(settings.positions)) {
    refuse("positions", '"first token" or "left edge"');
  }
  for (const key of ["shuffle", "dropDuplicates", "countPrompt", "countSidePadding", "maskEos"] as const) {
    if (typeof settings[key] !== "boolean") refuse(key, "true or false");
  }
}
