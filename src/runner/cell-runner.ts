import { setTimeout as sleep } from "node:timers/promises";
import { hasTag, type CodeCell, type ErrorOutput, type JupyterMessage, type Notebook } from "../jupyter";
import { cellDescription } from "./cell-description";
import {
  CellTimeoutError,
  DeadKernelError,
  PapermillExecutionError,
  RunInterruptedError,
  type CellFailure,
} from "./errors";
import { describeExit } from "./kernel-process";
import type { ExecutionEnd, KernelSession } from "./kernel-session";
import type { ExecuteOptions, RunnerEvent } from "./options";
import { OutputCollector, type Displays } from "./outputs";
import { cellRecord, finishCell, startCell } from "./papermill-metadata";
import type { Saver } from "./saver";
import { errorFromStderr } from "./tslab-errors";
import type { Secrets } from "./typed/secrets";

/** Cells that are not run. */
export const SKIP_TAG = "skip-execution";
/** Cells that may fail: the run goes on after them. */
export const ALLOW_ERROR_TAG = "raises-exception";

/** tslab answers "abort" to everything for 200 ms after an error; a cell is sent again this often, this much later. */
const ABORT_RETRIES = 4;
const ABORT_WINDOW = 250;

const TRUNCATED =
  "[papermill-ts] Output of this cell may be missing here: the kernel answered, but its closing message never came. " +
  "It loses messages when a cell prints several hundred times without a pause; print less often, more at a time.\n";

type FailureClass = new (failure: CellFailure) => PapermillExecutionError;

/** Runs the cells of one notebook in one kernel, in order, up to the first failure. */
export class CellRunner {
  /** The cell after which nothing more was run, if there is one. */
  stoppedAt: CodeCell | undefined;
  readonly #notebook: Notebook;
  readonly #session: KernelSession;
  readonly #saver: Saver;
  readonly #options: ExecuteOptions;
  readonly #tell: (event: RunnerEvent) => void;
  readonly #secrets: Secrets;
  readonly #displays: Displays = new Map();

  constructor(
    notebook: Notebook,
    session: KernelSession,
    saver: Saver,
    options: ExecuteOptions,
    tell: (event: RunnerEvent) => void,
    secrets: Secrets,
  ) {
    this.#secrets = secrets;
    this.#notebook = notebook;
    this.#session = session;
    this.#saver = saver;
    this.#options = options;
    this.#tell = tell;
  }

  /** Returns the failure that stopped the run, or undefined. */
  async runAll(): Promise<PapermillExecutionError | undefined> {
    const code = this.#notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
    for (const [position, cell] of code.entries()) {
      if (hasTag(cell, SKIP_TAG)) continue;
      const where = {
        index: this.#notebook.cells.indexOf(cell),
        total: this.#notebook.cells.length,
        codeIndex: position + 1,
        codeTotal: code.length,
        description: cellDescription(cell.source),
        cell,
      };
      startCell(cell);
      this.#tell({ type: "cell-started", ...where });
      await this.#saver.save();
      const failure = cell.source.trim() === "" ? undefined : await this.#run(cell, where.index);
      const goOn = failure === undefined || isAllowed(cell, failure);
      const status = goOn ? "completed" : "failed";
      const seconds = finishCell(cell, status, failure !== undefined);
      this.#tell({ type: "cell-finished", status, seconds, ...where });
      if (!goOn) {
        this.stoppedAt = cell;
        return isCleanExit(failure) ? undefined : failure;
      }
      await this.#saver.save();
    }
    return undefined;
  }

  async #run(cell: CodeCell, index: number): Promise<PapermillExecutionError | undefined> {
    const collector = new OutputCollector(cell, this.#displays, (output) => {
      if (this.#options.logOutput ?? this.#options.onEvent !== undefined) {
        this.#tell({ type: "output", index, output });
      }
      this.#saver.outputArrived();
    });
    const times: Record<string, string> = {};
    const filter = this.#secrets.filter((message) => collector.handle(message));
    const listener = (message: JupyterMessage): void => {
      noteTime(times, message);
      (filter ?? collector).handle(message);
    };
    const limits = { timeout: this.#options.executionTimeout, signal: this.#options.signal };
    const source = this.#secrets.sourceOf(cell);
    let end = await this.#session.execute(source, listener, limits);
    for (let retry = 0; retry < ABORT_RETRIES && isAborted(end); retry++) {
      await sleep(ABORT_WINDOW);
      end = await this.#session.execute(source, listener, limits);
    }
    filter?.end();
    if (end.type === "replied") {
      times["shell.execute_reply"] = end.reply.header.date;
      const count = end.reply.content["execution_count"];
      if (typeof count === "number") cell.execution_count = count;
      if (!end.complete)
        markTruncated(cell, collector, (message) => this.#tell({ type: "warning", message }));
    }
    cell.metadata["execution"] = times;
    return this.#failureOf(end, cell, index, collector);
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
      const error = cell.outputs.includes(found) ? found : this.#secrets.error(found);
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
        const status = String(end.reply.content["status"]);
        if (status === "ok") return undefined;
        const error =
          publishedError(cell) ?? errorOfReply(end.reply) ?? errorFromStderr(cell, collector.stderr, status);
        // A kernel whose other half died lives to tell.
        return fail(error, error.ename === "DeadKernelError" ? DeadKernelError : PapermillExecutionError);
      }
      case "no-reply":
        return fail(newError("NoReply", "the kernel was done with the cell but never answered"));
      case "timed-out":
        return fail(
          newError(
            "CellTimeoutError",
            `the cell took longer than ${this.#options.executionTimeout} s and was interrupted`,
          ),
          CellTimeoutError,
        );
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

function newError(ename: string, evalue: string, details = ""): ErrorOutput {
  const traceback = [`${ename}: ${evalue}`, ...(details ? details.split("\n") : [])];
  return { output_type: "error", ename, evalue, traceback };
}

/** The last one, as in papermill, when a cell published several. */
function publishedError(cell: CodeCell): ErrorOutput | undefined {
  return cell.outputs.findLast((output) => output.output_type === "error");
}

function errorOfReply({ content }: JupyterMessage): ErrorOutput | undefined {
  const { ename, evalue, traceback } = content;
  if (typeof ename !== "string" || !Array.isArray(traceback)) return undefined;
  return { output_type: "error", ename, evalue: String(evalue ?? ""), traceback: traceback.map(String) };
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
