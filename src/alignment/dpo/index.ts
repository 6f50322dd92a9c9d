/** Direct preference optimisation: pairs of continuations, a policy, and the reference that it is held to. */
export { readLog, type DpoMetrics, type DpoRecord } from "./metrics.js";
export type { PairsReport } from "./pairs.js";
export { DPO_SETTINGS, type DpoSettings, type DpoSettingsName } from "./settings.js";
export { loadPolicy, trainDpo, type DpoOptions, type DpoResult } from "./train.js";
export type { Trainable, TrainableParts } from "./trainable.js";
export { dpoLosses, type DpoProgress } from "./trainer.js";
