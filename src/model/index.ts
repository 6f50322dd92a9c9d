export { type GPT2Config, readConfig } from "./config";
export { GPT2, type ForwardOptions } from "./gpt2";
export { generate, type GenerateOptions } from "./generate";
export { hookPoints, type Hook, type HookContext, type Hooks } from "./hooks";
export { gaussian, mulberry32 } from "../data/random";
export type { Padding } from "./padding";
export { Tokenizer } from "./tokenizer";
export { logitLens, type LogitLens, type LogitLensOptions } from "./logit-lens";
export { lossGradients, nextTokenLoss } from "./loss";
