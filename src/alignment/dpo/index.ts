/** Direct preference optimisation: pairs of continuations, a policy, and the reference that it is held to. */
export { readLog, type DpoRecord } from "./log";
export { dpoLosses } from "./loss";
export type { DpoMetrics } from "./metrics";
export type { PairsReport } from "./pairs";
export { DPO_SETTINGS, type DpoSettings, type DpoSettingsName } from "./settings";
export { loadPolicy, trainDpo, type DpoOptions, type DpoProgress, type DpoResult } from "./train";
export type { Trainable, TrainableParts } from "./trainable";
