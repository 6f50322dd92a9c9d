import { stripVTControlCharacters } from "node:util";
import { messageOf, UserError } from "@alignscope/base/errors";
import { systemErrorInWords } from "@alignscope/base/system-errors";
import {
  CellTimeoutError,
  DeadKernelError,
  KernelStartError,
  PapermillExecutionError,
  RunInterruptedError,
} from "papermill-ts";

/** Why a notebook did not run through. "other": its files could not be read or written, say. */
export type FailureReason =
  | "cell failed"
  | "kernel died"
  | "kernel did not start"
  | "time limit"
  | "interrupted"
  | "artifact missing"
  | "other";

export interface Failure {
  reason: FailureReason;
  /** What went wrong in one line. */
  message: string;
  /**
   * `In [n]` of the failing cell with its error as the kernel told it, "" where the message says it all; null when no cell
   * was to blame.
   */
  cell: { executionCount: number | null; traceback: string } | null;
  interrupted: boolean;
}

/** What an error that ended a notebook means. */
export function explain(error: unknown, signal: AbortSignal | undefined): Failure {
  const interrupted = error instanceof RunInterruptedError || signal?.aborted === true;
  const reason = interrupted ? "interrupted" : reasonOf(error);
  if (error instanceof PapermillExecutionError) {
    const { executionCount, ename, evalue, traceback } = error;
    const said = evalue.split("\n")[0] ?? "";
    const trace = ename === "UserError" ? "" : stripVTControlCharacters(traceback.join("\n")).trimEnd();
    return {
      reason,
      message: interrupted ? "interrupted" : `In [${executionCount ?? " "}] ${ename}: ${said}`,
      cell: { executionCount, traceback: trace },
      interrupted,
    };
  }
  if (interrupted) return { reason, message: "interrupted", cell: null, interrupted };
  const message =
    error instanceof UserError
      ? error.message
      : (systemErrorInWords(error) ?? messageOf(error).trim().split("\n")[0]);
  return { reason, message: message ?? "it failed without a word", cell: null, interrupted };
}

function reasonOf(error: unknown): FailureReason {
  if (error instanceof DeadKernelError) return "kernel died";
  if (error instanceof CellTimeoutError) return "time limit";
  if (error instanceof KernelStartError) return "kernel did not start";
  if (error instanceof MissingArtifactError) return "artifact missing";
  return error instanceof PapermillExecutionError ? "cell failed" : "other";
}

/** A notebook ran through and did not write what the series promises of it. */
export class MissingArtifactError extends UserError {}

/** How one notebook of a run ended. */
export type NotebookResult =
  | { result: "ran"; seconds: number; cells: number }
  | { result: "up to date" }
  | ({
      result: "failed";
      seconds: number;
      /** That ended, the failing one included. */
      cells: number;
      /** Where the failed notebook is kept. */
      kept: string | null;
    } & Failure)
  | { result: "not run"; because: string };
