export * from "./errors.js";
export type * from "./options.js";
export { executeNotebook } from "./execute.js";
export type { Engine, EngineEnd, EngineRun } from "./engine.js";
export { DEFAULT_ENGINE, findEngine, registerEngine } from "./engines.js";
export { registerNotebookStore } from "./stores/index.js";
export type { NotebookStore } from "./stores/local.js";
export { findTranslator, registerTranslator } from "./translators/languages.js";
export type { Translator } from "./translators/translator.js";
export { inspectNotebook } from "./parameters.js";
export {
  collectParameters,
  inferValue,
  readParameters,
  yamlParameters,
  type ParameterSources,
} from "./parameter-sources.js";
export { jsonParameters } from "./papermill-metadata.js";
export { accepts, coerce, readText } from "./typed/check.js";
export { fitValue, type GivenValue, ParameterError, problemLine } from "./typed/check-parameters.js";
export {
  isSecret,
  MASK,
  maskParameters,
  type MaskOption,
  refuseSecretsInPath,
  soundsSecret,
} from "./typed/secrets.js";
export {
  choicesOf,
  type DeclaredParameter,
  type FieldType,
  type LiteralValue,
  type ParameterType,
  parameterHelp,
  typeText,
} from "./typed/types.js";
export { cellDescription } from "./cell-runner.js";
export { addMask } from "./command/papermill-options.js";
