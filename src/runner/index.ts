export * from "./errors";
export type * from "./options";
export { executeNotebook } from "./execute";
export { registerNotebookStore, type NotebookStore } from "./notebook-io";
export { findTranslator, registerTranslator, type DeclaredParameter, type Translator } from "./translators";
export { cellDescription } from "./cell-description";
