import type { CodeCell, Kernelspec, LanguageInfo, Notebook } from "jupyter-wire";
import type { PapermillExecutionError } from "./errors.js";
import type { ExecuteOptions, RunnerEvent } from "./options.js";
import type { Saver } from "./saver.js";
import type { Secrets } from "./typed/secrets.js";

/** What an engine is given: a notebook with its parameters in, all cells pending. */
export interface EngineRun {
  notebook: Notebook;
  /** The kernel that was asked for; undefined for engines that need none. */
  spec: Kernelspec | undefined;
  cwd: string;
  options: ExecuteOptions;
  /** When the whole notebook must be through, in milliseconds since 1970; undefined without such a limit. */
  deadline: number | undefined;
  /** To be told what changed, and asked to save when a cell begins or ends. */
  saver: Pick<Saver, "changed" | "save" | "outputArrived">;
  /** What no one may read in what is written: cells are run with the true values, and their output is cleared of them. */
  secrets: Secrets;
  tell: (event: RunnerEvent) => void;
}

/** How an engine's work ended; a failed cell is no exception but said here. */
export interface EngineEnd {
  failure?: PapermillExecutionError | undefined;
  /** The cell after which nothing more was run. */
  stoppedAt?: CodeCell | undefined;
  languageInfo?: LanguageInfo | undefined;
}

/** A way to run the cells of a notebook. */
export interface Engine {
  /** Whether the kernel must be found before. Default: true. */
  needsKernel?: boolean;
  /** Runs the cells, fills in their outputs and keeps their `metadata.papermill`. */
  execute(run: EngineRun): Promise<EngineEnd>;
}
