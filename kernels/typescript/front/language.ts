import type { Bundle, Compiled, Completeness, Completions, ImportedFile } from "../wire/index.js";

/** What the front needs of the compiler, which works beside it and is never busy with a cell's run. */
export interface Language {
  /** Later cells see the names of the cell at once, if the compiler has nothing against it. */
  compile(code: string, execution: number): Promise<Compiled>;
  /** Of a cell that failed these names have been assigned; the others are what they were before. */
  settled(execution: number, assigned: readonly string[]): unknown;
  /** A cell was not run. */
  forget(execution: number): unknown;
  /** The process that runs the cells is a new one. */
  reset(): unknown;
  /** Gives up what is being compiled, which is rejected. */
  abandon(): unknown;
  /** The local file that a specifier means in another file, for code that is running. */
  localFile(specifier: string, from: string): Promise<ImportedFile | undefined>;
  complete(code: string, position: number): Promise<Completions>;
  hover(code: string, position: number): Promise<Bundle | undefined>;
  completeness(code: string): Promise<Completeness>;
}
