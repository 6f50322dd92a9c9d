import { stripVTControlCharacters } from "node:util";

/** Everything that stops a run of a notebook for a reason of the notebook's own. */
export class PapermillError extends Error {
  override readonly name: string = "PapermillError";
}

/** A path names a parameter that was not given: papermill's PapermillMissingParameterException. */
export class MissingParameterError extends PapermillError {
  override readonly name = "MissingParameterError";

  constructor(readonly parameter: string) {
    super(`Missing parameter '${parameter}'`);
  }
}

/** The cell that stopped a run and what it said. */
export interface CellFailure {
  /** Index among all cells of the executed notebook (before the marker cells are put in), from 0. */
  cellIndex: number;
  /** The number in `In [n]`; null when the kernel never told. */
  executionCount: number | null;
  source: string;
  ename: string;
  evalue: string;
  traceback: string[];
}

/** A cell failed. The output notebook has been written and holds the error beside the cell. */
export class PapermillExecutionError extends PapermillError implements CellFailure {
  override readonly name: string = "PapermillExecutionError";
  readonly cellIndex: number;
  readonly executionCount: number | null;
  readonly source: string;
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: string[];

  constructor(failure: CellFailure) {
    super(describeFailure(failure));
    this.cellIndex = failure.cellIndex;
    this.executionCount = failure.executionCount;
    this.source = failure.source;
    this.ename = failure.ename;
    this.evalue = failure.evalue;
    this.traceback = failure.traceback;
  }
}

/** A cell took longer than `executionTimeout`. */
export class CellTimeoutError extends PapermillExecutionError {
  override readonly name = "CellTimeoutError";
}

/** The notebook as a whole took longer than `notebookTimeout`. */
export class NotebookTimeoutError extends PapermillExecutionError {
  override readonly name = "NotebookTimeoutError";
}

/** The run was ended from outside (`signal`) while a cell ran. */
export class RunInterruptedError extends PapermillExecutionError {
  override readonly name = "RunInterruptedError";
}

/** The kernel's process ended while a cell ran. The command line answers with exit code 138, as papermill does. */
export class DeadKernelError extends PapermillExecutionError {
  override readonly name = "DeadKernelError";
}

/** The kernel did not start: its process ended or stayed silent for `startTimeout`. */
export class KernelStartError extends PapermillError {
  override readonly name = "KernelStartError";
}

function describeFailure({ executionCount, ename, evalue, traceback }: CellFailure): string {
  const trace = stripVTControlCharacters(traceback.join("\n")).trimEnd();
  return `\n${"-".repeat(75)}\nException encountered at "In [${executionCount ?? " "}]":\n${trace || `${ename}: ${evalue}`}\n`;
}
