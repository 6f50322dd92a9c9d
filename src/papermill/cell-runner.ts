import { setTimeout as sleep } from "node:timers/promises";
import { type Cell, type CodeCell, type ErrorOutput, hasTag, type JupyterMessage } from "jupyter-wire";
import { errorOfCell, newError } from "./cell-errors.js";
import type { EngineRun } from "./engine.js";
import {
  type CellFailure,
  CellTimeoutError,
  DeadKernelError,
  NotebookTimeoutError,
  PapermillExecutionError,
  RunInterruptedError,
} from "./errors.js";
import { describeExit } from "./kernel-process.js";
import type { ExecutionEnd, KernelSession } from "./kernel-session.js";
import { type Displays, OutputCollector, WidgetStates } from "./outputs.js";
import { cellRecord, finishCell, startCell } from "./papermill-metadata.js";

/** Cells that are not run. */
const SKIP_TAG = "skip-execution";
/** Cells that may fail: the run goes on after them. */
const ALLOW_ERROR_TAG = "raises-exception";

/** tslab answers "abort" to everything for 200 ms after an error; a cell is sent again this often, this much later. */
const ABORT_RETRIES = 4;
const ABORT_WINDOW = 250;

/** Milliseconds by which a timer may be early. */
const CLOCK_GRAIN = 5;

const TRUNCATED =
  "[papermill-ts] Output of this cell may be missing here: the kernel answered, but its closing message never came. " +
  "It loses messages when a cell prints several hundred times without a pause; print less often, more at a time.\n";

/** A kernel's word in the payload of a reply that the notebook is to end here, as a success. */
const STOP = "stop";

type FailureClass = new (failure: CellFailure) => PapermillExecutionError;

/** Runs the cells of one notebook in one kernel, in order, up to the first failure. */
export class CellRunner {
  /** The cell after which nothing more was run, if there is one. */
  stoppedAt: CodeCell | undefined;
  readonly #run: EngineRun;
  readonly #session: KernelSession;
  readonly #displays: Displays = new Map();
  readonly #widgets = new WidgetStates();
  /** Why a cell has ended the run, if one has. */
  #stopped: string | undefined;

  constructor(run: EngineRun, session: KernelSession) {
    this.#run = run;
    this.#session = session;
  }

  /** Returns the failure that stopped the run, or undefined. */
  async runAll(): Promise<PapermillExecutionError | undefined> {
    const failure = await this.#runCells();
    const widgets = this.#widgets.metadata();
    if (widgets) this.#run.notebook.metadata["widgets"] = widgets;
    return failure;
  }

  async #runCells(): Promise<PapermillExecutionError | undefined> {
    const { notebook, saver, tell } = this.#run;
    const codeTotal = notebook.cells.filter((cell) => cell.cell_type === "code").length;
    let codeIndex = 0;
    for (const [index, cell] of notebook.cells.entries()) {
      if (cell.cell_type !== "code") {
        this.#pass(cell);
        continue;
      }
      codeIndex++;
      if (hasTag(cell, SKIP_TAG)) continue;
      const description = cellDescription(cell.source);
      const where = { index, total: notebook.cells.length, codeIndex, codeTotal, description, cell };
      startCell(cell);
      saver.changed(cell);
      tell({ type: "cell-started", ...where });
      saver.save();
      const failure = cell.source.trim() === "" ? undefined : await this.#execute(cell, index);
      const goOn = failure === undefined || isAllowed(cell, failure);
      const status = goOn ? "completed" : "failed";
      const seconds = finishCell(cell, status, failure !== undefined);
      saver.changed(cell);
      tell({ type: "cell-finished", status, seconds, ...where });
      if (!goOn) {
        this.stoppedAt = cell;
        return isCleanExit(failure) ? undefined : failure;
      }
      if (this.#stopped !== undefined) {
        this.#skip(notebook.cells.slice(index + 1));
        tell({
          type: "warning",
          message: `the notebook ended itself, the rest is skipped: ${this.#stopped}`,
        });
        return undefined;
      }
      saver.save();
    }
    return undefined;
  }

  #skip(cells: readonly Cell[]): void {
    for (const cell of cells) {
      cellRecord(cell).status = "skipped";
      this.#run.saver.changed(cell);
    }
  }

  /** Text has nothing to run, and is done when the run comes by, as in papermill. */
  #pass(cell: Cell): void {
    startCell(cell);
    finishCell(cell, "completed", false);
    this.#run.saver.changed(cell);
  }

  async #execute(cell: CodeCell, index: number): Promise<PapermillExecutionError | undefined> {
    const { options, saver, secrets, tell } = this.#run;
    const toFile = options.stdoutFile !== undefined || options.stderrFile !== undefined;
    const told = toFile || (options.logOutput ?? options.onEvent !== undefined);
    const collector = new OutputCollector(cell, this.#displays, {
      ...(options.maxOutputSize === undefined ? {} : { limit: options.maxOutputSize }),
      onOutput: (output) => {
        saver.changed(cell);
        if (told) tell({ type: "output", index, output });
        saver.outputArrived();
      },
      onTruncated: () => {
        cell.metadata["papermill-ts"] = { truncated: true };
        tell({
          type: "warning",
          message: `the outputs of a cell are too large, the rest is left out: ${cellDescription(cell.source)}`,
        });
      },
      onChanged: (other) => saver.changed(other),
    });
    const times: Record<string, string> = {};
    const keep = (message: JupyterMessage): void => {
      collector.handle(message);
      this.#widgets.handle(message);
    };
    const filter = secrets.filter(keep);
    const listener = (message: JupyterMessage): void => {
      noteTime(times, message);
      if (filter) filter.handle(message);
      else keep(message);
    };
    const limits = { timeout: this.#secondsLeft(), signal: options.signal };
    const source = secrets.sourceOf(cell);
    let end = await this.#session.execute(source, listener, limits);
    for (let retry = 0; retry < ABORT_RETRIES && isAborted(end); retry++) {
      await sleep(ABORT_WINDOW);
      end = await this.#session.execute(source, listener, limits);
    }
    filter?.end();
    if (end.type === "replied") {
      times["shell.execute_reply"] = end.reply.header.date;
      this.#stopped = stopIn(end.reply);
      const count = end.reply.content["execution_count"];
      if (typeof count === "number") cell.execution_count = count;
      if (!end.complete) markTruncated(cell, collector, (message) => tell({ type: "warning", message }));
    }
    cell.metadata["execution"] = times;
    return this.#failureOf(end, cell, index, collector);
  }

  /** What the cell may take: its own limit or what is left of the notebook's; 0 for no limit. */
  #secondsLeft(): number {
    const { options, deadline } = this.#run;
    const own = options.executionTimeout ?? 0;
    if (deadline === undefined) return own;
    const left = Math.max(0.001, (deadline - Date.now()) / 1000);
    return own > 0 ? Math.min(own, left) : left;
  }

  /** Whether it is the whole notebook that took too long. */
  get #isPastDeadline(): boolean {
    const { deadline } = this.#run;
    return deadline !== undefined && Date.now() >= deadline - CLOCK_GRAIN;
  }

  #failureOf(
    end: ExecutionEnd,
    cell: CodeCell,
    index: number,
    collector: OutputCollector,
  ): PapermillExecutionError | undefined {
    const fail = (
      found: ErrorOutput,
      kind: FailureClass = PapermillExecutionError,
    ): PapermillExecutionError => {
      const error = cell.outputs.includes(found) ? found : this.#run.secrets.error(found);
      if (!cell.outputs.includes(error)) collector.add(error);
      const { ename, evalue, traceback } = error;
      return new kind({
        cellIndex: index,
        executionCount: cell.execution_count,
        source: cell.source,
        ename,
        evalue,
        traceback,
      });
    };
    switch (end.type) {
      case "replied": {
        if (end.reply.content["status"] === "ok") return undefined;
        const error = errorOfCell(cell, end.reply, collector.stderr);
        // A kernel whose other half died lives to tell.
        return fail(error, error.ename === "DeadKernelError" ? DeadKernelError : PapermillExecutionError);
      }
      case "no-reply":
        return fail(newError("NoReply", "the kernel was done with the cell but never answered"));
      case "timed-out": {
        const { executionTimeout, notebookTimeout } = this.#run.options;
        return this.#isPastDeadline
          ? fail(
              newError(
                "NotebookTimeoutError",
                `the notebook took longer than ${notebookTimeout} s and was interrupted in this cell`,
              ),
              NotebookTimeoutError,
            )
          : fail(
              newError(
                "CellTimeoutError",
                `the cell took longer than ${executionTimeout} s and was interrupted`,
              ),
              CellTimeoutError,
            );
      }
      case "aborted":
        return fail(
          newError("RunInterruptedError", "the run was ended while this cell ran"),
          RunInterruptedError,
        );
      case "died": {
        const printed = this.#session.printed;
        const reason = `the kernel died while this cell ran (${describeExit(end.exit)})`;
        return fail(newError("DeadKernelError", reason, printed), DeadKernelError);
      }
    }
  }
}

/** `aborted` is the protocol's word, `abort` is tslab's: the cell was not run, since an earlier one had failed. */
function isAborted(end: ExecutionEnd): boolean {
  return end.type === "replied" && /^abort(ed)?$/.test(String(end.reply.content["status"]));
}

/** An error the cell was expected to have; a lost kernel or a time limit is never one. */
function isAllowed(cell: CodeCell, failure: PapermillExecutionError): boolean {
  return hasTag(cell, ALLOW_ERROR_TAG) && failure.constructor === PapermillExecutionError;
}

/** Python's `sys.exit()` and `sys.exit(0)` end the run, and well. */
function isCleanExit(failure: PapermillExecutionError): boolean {
  return failure.ename === "SystemExit" && (failure.evalue === "" || failure.evalue === "0");
}

function markTruncated(cell: CodeCell, collector: OutputCollector, warn: (message: string) => void): void {
  collector.add({ output_type: "stream", name: "stderr", text: TRUNCATED });
  cell.metadata["papermill-ts"] = { truncated: true };
  const { start_time: begun } = cellRecord(cell);
  warn(`output of the cell begun at ${begun ?? "?"} may be incomplete: ${cellDescription(cell.source)}`);
}

/** nbclient's names for the times of a cell. */
function noteTime(times: Record<string, string>, { header, content }: JupyterMessage): void {
  if (header.msg_type === "status")
    times[`iopub.status.${String(content["execution_state"])}`] ??= header.date;
  if (header.msg_type === "execute_input") times["iopub.execute_input"] ??= header.date;
}

const LONGEST = 80;

/**
 * What a progress bar calls a cell: the word after `papermill_description=` in its source, else its first line, without
 * comment signs.
 */
export function cellDescription(source: string): string {
  const named = /papermill_description=(\S+)/.exec(source)?.[1];
  if (named) return named;
  for (const line of source.split("\n")) {
    const text = line.replace(/^\s*(?:\/\/+|#+|\/\*+|\*+\/?)?\s*|\s*\*\/\s*$/g, "").trim();
    if (text !== "") return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  }
  return "(empty)";
}

/** Why a reply wants the notebook to end, if it does. */
function stopIn({ content }: JupyterMessage): string | undefined {
  const payload = Array.isArray(content["payload"]) ? content["payload"] : [];
  for (const one of payload) {
    if (typeof one !== "object" || one === null || Array.isArray(one) || one["source"] !== STOP) continue;
    return typeof one["reason"] === "string" ? one["reason"] : "no reason was given";
  }
  return undefined;
}
