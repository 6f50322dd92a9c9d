/** Direct preference optimisation: pairs of continuations, a policy, and the reference that it is held to. */
export { readLog, type DpoMetrics, type DpoRecord } from "./metrics";
export type { PairsReport } from "./pairs";
export { DPO_SETTINGS, type DpoSettings, type DpoSettingsName } from "./settings";
export { loadPolicy, trainDpo, type DpoOptions, type DpoResult } from "./train";
export type { Trainable, TrainableParts } from "./trainable";
export { dpoLosses, type DpoProgress } from "./trainer";
