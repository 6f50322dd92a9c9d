import type { Notebook } from "../jupyter";
import type { ExecuteOptions } from "./options";

export * from "./errors";
export type * from "./options";

/**
 * Runs a notebook as papermill does and returns it with its outputs; the same notebook is written to `outputPath`.
 *
 * @param input a path, or a notebook in memory
 * @param outputPath where to write (its folder must exist), or null to write nothing
 * @throws PapermillExecutionError for the first failing cell, after the notebook was written with the error in it
 */
export declare function executeNotebook(
  input: string | Notebook,
  outputPath: string | null,
  options?: ExecuteOptions,
): Promise<Notebook>;
