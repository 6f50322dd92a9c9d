export * from "./errors";
export type * from "./options";
export { executeNotebook } from "./execute";
export { registerNotebookStore, type NotebookStore } from "./notebook-io";
export { findTranslator, registerTranslator, type DeclaredParameter, type Translator } from "./translators";
export { inspectNotebook } from "./inspect";
export { collectParameters, inferValue, yamlParameters, type ParameterSources } from "./parameter-sources";
export { cellDescription } from "./cell-description";
export { peakBytes, processTree, residentBytes } from "./process-tree";
