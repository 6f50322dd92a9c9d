export * from "./errors.js";
export type * from "./options.js";
export { executeNotebook } from "./execute.js";
export type { Engine, EngineEnd, EngineRun } from "./engine.js";
export { DEFAULT_ENGINE, findEngine, registerEngine } from "./engines.js";
export { registerNotebookStore, type NotebookStore } from "./notebook-io.js";
export {
  findTranslator,
  registerTranslator,
  type DeclaredParameter,
  type Translator,
} from "./translators/index.js";
export { inspectNotebook } from "./inspect.js";
export {
  collectParameters,
  inferValue,
  readParameters,
  yamlParameters,
  type ParameterSources,
} from "./parameter-sources.js";
export { jsonParameters } from "./papermill-metadata.js";
export * from "./typed/index.js";
export { cellDescription } from "./cell-description.js";
export { addMask } from "./command/papermill-options.js";
export { peakBytes, processTree, residentBytes } from "./process-tree.js";
