export { gaussian, mulberry32 } from "@alignscope/base/random";
export { ActivationCache, type Positions } from "./activation-cache.js";
export { activationRows, type ActivationRowsOptions } from "./activation-rows.js";
export { directLogitAttribution, type Attribution, type AttributionOptions } from "./attribution.js";
export { type GPT2Config, readConfig } from "./config.js";
export { generate, type GenerateOptions } from "./generate.js";
export { gradientsOf, type GradientOptions, type Gradients } from "./gradients.js";
export { GPT2 } from "./gpt2.js";
export { hookName, hookPoints, type Hook, type HookContext, type HookNames, type Hooks } from "./hooks.js";
export { KeyValueCache } from "./key-values.js";
export { logitLens, type LogitLens, type LogitLensOptions } from "./logit-lens.js";
export { lossGradients, nextTokenLoss } from "./loss.js";
export type { Padding } from "./padding.js";
export type { CacheOptions, ForwardOptions } from "./pass-options.js";
export { type Processing } from "./processing.js";
export { PROTOCOLS, withProtocol, type Protocol, type ProtocolName } from "./protocol.js";
export {
  accumulatedResidual,
  residualRows,
  type AccumulatedOptions,
  type Normalisation,
} from "./residual.js";
export type { SamplingOptions } from "./sampling.js";
export { Tokenizer } from "./tokenizer.js";
