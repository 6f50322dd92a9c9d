export * from "./errors";
export type * from "./options";
export { executeNotebook } from "./execute";
export {
  DEFAULT_ENGINE,
  findEngine,
  registerEngine,
  type Engine,
  type EngineEnd,
  type EngineRun,
} from "./engines";
export { registerNotebookStore, type NotebookStore } from "./notebook-io";
export { findTranslator, registerTranslator, type DeclaredParameter, type Translator } from "./translators";
export { inspectNotebook } from "./inspect";
export {
  collectParameters,
  inferValue,
  readParameters,
  yamlParameters,
  type ParameterSources,
} from "./parameter-sources";
export { jsonParameters } from "./papermill-metadata";
export * from "./typed";
export { cellDescription } from "./cell-description";
export { peakBytes, processTree, residentBytes } from "./process-tree";
