export * from "./errors";
export type * from "./options";
export { executeNotebook } from "./execute";
export { registerNotebookStore, type NotebookStore } from "./notebook-io";
export { findTranslator, registerTranslator, type DeclaredParameter, type Translator } from "./translators";
export { inspectNotebook } from "./inspect";
export {
  collectParameters,
  inferValue,
  parameterTexts,
  yamlParameters,
  type ParameterSources,
} from "./parameter-sources";
export { jsonParameters } from "./papermill-metadata";
export * from "./typed";
export { cellDescription } from "./cell-description";
