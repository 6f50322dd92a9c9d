import type { CodeCell, Output } from "jupyter-wire";

/**
 * A parameter's value: JSON, and what JSON cannot say but notebooks need (NaN, infinities, integers beyond 2^53).
 * `undefined` stands for "no value" and is written as such in TypeScript, as None in Python.
 */
export type ParameterValue =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ParameterValue[]
  | { readonly [key: string]: ParameterValue };

export type Parameters = Record<string, ParameterValue>;

/** How parameters were said where they were said as text: which values are only a guess, and which are text for sure. */
export interface ParameterTexts {
  /** By name, the text whose value was guessed from its look (`-p`): a declared type may read it otherwise. */
  typed?: Readonly<Record<string, string>>;
  /** Names whose value is text because that was asked for (`-r`). */
  raw?: readonly string[];
  /**
   * Paths (`rate`, `layers/0`) of whole numbers that were written as fractions: `1.0`, `1e3`. JavaScript has one kind of
   * number; in a language that has two they are fractions still.
   */
  floats?: readonly string[];
}

/** What may be said about one run of a notebook; every field has papermill's default. */
export interface ExecuteOptions {
  /** Values to inject after the cell tagged `parameters`. */
  parameters?: Parameters;
  /**
   * Refuse unknown and ill-typed parameters, all at once, before any kernel starts and anything is written; values are
   * put into the declared form. Default: false, papermill's way, which warns and injects what it was given.
   */
  strictParameters?: boolean;
  /** What is known of values that came as text; see `parameterTexts`. */
  parameterTexts?: ParameterTexts;
  /**
   * Patterns (regular expressions, whatever the case) of parameters to mask besides those whose name sounds like a
   * secret's; false masks none. A masked value reaches the kernel and nothing that is written.
   */
  maskParameters?: false | readonly string[];
  /** The kernel to run with, instead of the notebook's own `metadata.kernelspec.name`. */
  kernelName?: string;
  /** The language whose translator writes the parameters, instead of the notebook's own. */
  language?: string;
  /** The kernel's working directory. Input and output paths do not depend on it. Default: the process's. */
  cwd?: string;
  /** Variables added to the kernel's environment. */
  environment?: Record<string, string>;
  /**
   * Whether input and output path are templates, in which `{name}` is a parameter and `{{` a brace. Default: true, as in
   * papermill.
   */
  pathTemplates?: boolean;
  /** Inject and write, start no kernel. */
  prepareOnly?: boolean;
  /** Hide the input of every code cell in the written notebook. */
  reportMode?: boolean;
  /** Write the output notebook before and after every cell, not only at the end. Default: true. */
  requestSaveOnCellExecute?: boolean;
  /** Seconds between saves while a cell runs and produces output; 0 switches them off. Default: 30. */
  autosaveCellEvery?: number;
  /** Seconds the kernel has to become ready. Default: 60. */
  startTimeout?: number;
  /** Seconds the kernel has to end by itself once the notebook is done; then it is ended. Default: 5, as in Jupyter. */
  shutdownTimeout?: number;
  /** Seconds each cell may take. Default: no limit. */
  executionTimeout?: number;
  /** Seconds the whole notebook may take, the start of its kernel included. Default: no limit. */
  notebookTimeout?: number;
  /** Bytes that the outputs of one cell may have together; what is beyond is left out, with a note. 0: no limit. Default: 50e6. */
  maxOutputSize?: number;
  /** The engine that runs the cells, by its registered name. Default: papermill-ts's own. */
  engineName?: string;
  /** Files that take what cells print, as it comes; emptied before. */
  stdoutFile?: string;
  stderrFile?: string;
  /** Send what cells print as `output` events, a message at a time. Default: true when `onEvent` is given. */
  logOutput?: boolean;
  /** Told about everything that happens, in order. It must not throw. */
  onEvent?: (event: RunnerEvent) => void;
  /** Ends the run early: the running cell is interrupted and marked failed, the notebook written, the kernel ended. */
  signal?: AbortSignal;
}

/**
 * pending: never ran; running: runs now; completed: ran through; failed: stopped by an error, a time limit or a dead kernel;
 * skipped: an earlier cell has ended the run well.
 */
export type CellStatus = "pending" | "running" | "completed" | "failed" | "skipped";

interface CellPosition {
  /** Index among all cells of the notebook as executed (the injected cell included), from 0. */
  index: number;
  /** Number of cells of the notebook, text cells included. */
  total: number;
  /** Position among code cells, from 1, and how many there are: what a progress bar shows. */
  codeIndex: number;
  codeTotal: number;
  /** The cell's own description (`papermill_description=`), else its first line of code. */
  description: string;
  cell: CodeCell;
}

/** What the runner tells while it works; times are in seconds. */
export type RunnerEvent =
  | { type: "notebook-opened"; input: string; output: string }
  | {
      type: "notebook-started";
      input: string;
      output: string;
      kernel: string;
      cwd: string;
      codeTotal: number;
    }
  | {
      type: "kernel-ready";
      kernel: string;
      seconds: number;
      /** Of the kernel's first process. */
      pid: number | null;
      /** What the kernel calls itself, with its version: "ts-jupyter-kernel 0.1.0". */
      implementation: string | null;
    }
  | ({ type: "cell-started" } & CellPosition)
  | ({ type: "cell-finished"; status: CellStatus; seconds: number } & CellPosition)
  | { type: "output"; index: number; output: Output }
  | { type: "warning"; message: string }
  | { type: "saved"; output: string }
  | { type: "notebook-finished"; output: string; seconds: number; failed: boolean };
