/** Direct preference optimisation: pairs of continuations, a policy, and the reference that it is held to. */
export { readLog, type DpoMetrics, type DpoRecord } from "./metrics.js";
export { DPO_SETTINGS, type DpoSettings, type DpoSettingsName } from "./settings.js";
export { loadPolicy, trainDpo, type DpoOptions, type DpoResult } from "./train.js";
export type { Trainable } from "./trainable.js";
export { type DpoProgress } from "./trainer.js";
