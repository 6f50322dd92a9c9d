/** Direct preference optimisation: pairs of continuations, a policy, and the reference that it is held to. */
export { readLog, type DpoRecord } from "./log.js";
export { dpoLosses } from "./loss.js";
export type { DpoMetrics } from "./metrics.js";
export type { PairsReport } from "./pairs.js";
export { DPO_SETTINGS, type DpoSettings, type DpoSettingsName } from "./settings.js";
export type { DpoProgress } from "./run.js";
export { loadPolicy, trainDpo, type DpoOptions, type DpoResult } from "./train.js";
export type { Trainable, TrainableParts } from "./trainable.js";
