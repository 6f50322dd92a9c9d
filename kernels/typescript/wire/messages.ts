import type { Json } from "jupyter-wire";
import type { CompiledCell, ImportedFile } from "./compiled.js";

/*
 * What the two processes of the kernel say to each other. The front process owns the sockets and speaks Jupyter's protocol;
 * the executor process runs the cells. An execution is named by a number that the front counts up, never reused in the life
 * of a kernel; 0 stands for output that belongs to none. Positions in code are counted in UTF-16 units, as JavaScript does.
 */

/** Representations of one thing by MIME type, as they travel: text, JSON, or base64 for pictures. */
export type Bundle = Record<string, Json>;

/** The content of display_data and execute_result. */
export interface Shown {
  data: Bundle;
  metadata: Record<string, Json>;
}

/** What Jupyter calls an error: its class, its message, and the lines to show, which may carry ANSI colours. */
export interface CellError {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** A message of a comm; buffers are base64. */
export interface CommMessage {
  commId: string;
  data: Record<string, Json>;
  metadata?: Record<string, Json>;
  buffers?: string[];
}

/** From the front to the executor, which handles one after the other, in order; answers to its own questions come in between. */
export type ToExecutor =
  | {
      type: "execute";
      execution: number;
      code: string;
      /** The number in `In [n]`. */
      count: number;
      silent: boolean;
      cell: CompiledCell;
      /** user_expressions: evaluated after a cell that went well. Each is compiled under a number of its own. */
      expressions: Record<string, { execution: number; cell: CompiledCell }>;
      allowStdin: boolean;
    }
  /** Answered when all that came before has been handled. */
  | { type: "ping"; request: number }
  /** `value` is missing when nobody could answer. */
  | { type: "input-reply"; input: number; value?: string }
  /** `file` is missing where the specifier means no local file. */
  | { type: "import-reply"; request: number; file?: ImportedFile }
  | ({ type: "comm-open"; execution: number; target: string } & CommMessage)
  | ({ type: "comm-message" | "comm-close"; execution: number } & CommMessage);

/** What became of one user expression. */
export type ExpressionResult = ({ status: "ok" } & Shown) | ({ status: "error" } & CellError);

export interface Completions {
  /** What to put in place of the code from `start` to `end`, the likeliest first. */
  matches: string[];
  /** The kind of each match, as the Language Server Protocol names it: "method", "constant", … */
  kinds: string[];
  start: number;
  end: number;
}

export type Completeness = { status: "complete" | "invalid" } | { status: "incomplete"; indent: string };

/** From the executor to the front. Text of stdout and stderr travels as frames of its own kind, in order with these. */
export type ToFront =
  /** The first cell will not wait. */
  | { type: "ready" }
  | ({ type: "display"; execution: number; displayId?: string; update: boolean } & Shown)
  | ({ type: "result"; execution: number } & Shown)
  | { type: "clear"; execution: number; wait: boolean }
  | ({ type: "error"; execution: number } & CellError)
  /** The end of an execution: all its output so far has been sent before. An error was sent as such, too. */
  | {
      type: "executed";
      execution: number;
      error?: CellError;
      /** Why the notebook is to end here, if it is. */
      stopped?: string;
      /** After an error: the names of the cell that have been assigned. */
      assigned?: string[];
      expressions: Record<string, ExpressionResult>;
    }
  | { type: "input"; execution: number; input: number; prompt: string; password: boolean }
  /** What an `import()` means whose specifier only the running code knows. */
  | { type: "import"; request: number; specifier: string; from: string }
  | { type: "pong"; request: number }
  | ({ type: "comm-open"; execution: number; target: string } & CommMessage)
  | ({ type: "comm-message" | "comm-close"; execution: number } & CommMessage);

/** The executor's file descriptors beside the usual three. */
export const TO_FRONT_FD = 3;
export const TO_EXECUTOR_FD = 4;
/**
 * Read by a thread of the executor that stays awake while a cell computes: its end means that the front is gone, and
 * {@link interruptBytes} on it that an execution should stop.
 */
export const LIFELINE_FD = 5;
