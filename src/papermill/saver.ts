import { closeSync, openSync } from "node:fs";
import { messageOf, UserError } from "@alignscope/base/errors";
import { appendWhole } from "@alignscope/base/files";
import { type Cell, formatNotebook, type Notebook, NotebookFormatter } from "jupyter-wire";
import type { ExecuteOptions, RunnerEvent } from "./options.js";
import { notebookStore } from "./stores/index.js";

const DEFAULT_AUTOSAVE_SECONDS = 30;

/**
 * Writes the output notebook: at the begin and end of cells, while a cell keeps producing output, and at the end. The
 * kernel does not wait for the disk, and short cells do not each pay for a write: what is asked for while a write goes
 * on, or before the store's pace allows the next, is written when that is over, once, in the state of then. So the file
 * is whole at any moment and never older than the pace and a write.
 */
export class Saver {
  readonly path: string | null;
  readonly #notebook: Notebook;
  readonly #formatter = new NotebookFormatter();
  readonly #onCells: boolean;
  readonly #tell: (event: RunnerEvent) => void;
  #interval: number;
  #lastSave = Date.now();
  /** When the last write was done, and how long it took. */
  #written = -Infinity;
  #took = 0;
  #scheduled = false;
  /** Ends the wait for the next write. */
  #hurry: () => void = () => undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(
    notebook: Notebook,
    path: string | null,
    options: ExecuteOptions,
    tell: (event: RunnerEvent) => void,
  ) {
    this.path = path;
    this.#notebook = notebook;
    this.#tell = tell;
    this.#onCells = (options.requestSaveOnCellExecute ?? true) && path !== null && path !== "-";
    this.#interval = (options.autosaveCellEvery ?? DEFAULT_AUTOSAVE_SECONDS) * 1000;
  }

  /** The cell is not as it was when it was last written. */
  changed(cell: Cell): void {
    this.#formatter.changed(cell);
  }

  /** The run begins: resolves when the notebook is written. */
  async saveFirst(): Promise<void> {
    if (!this.#onCells) return;
    this.#schedule();
    await this.#settled();
  }

  /**
   * A cell began or ended: it will be written in a moment.
   *
   * @throws what kept an earlier state from being written
   */
  save(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
    if (this.#onCells) this.#schedule();
  }

  /** A message of a running cell came; a save that takes long makes the next ones rarer. */
  outputArrived(): void {
    if (this.#interval <= 0 || !this.#onCells || Date.now() - this.#lastSave < this.#interval) return;
    this.#lastSave = Date.now();
    this.#schedule();
    this.#settled().then(
      () => {
        if (this.#took <= this.#interval / 4) return;
        this.#interval *= 2;
        this.#warn(`saving while a cell runs takes long: the next save in ${this.#interval / 1000} s`);
      },
      (error: Error) => this.#warn(error.message),
    );
  }

  /** The run is over: every cell is written anew, at once. */
  async saveFinal(): Promise<void> {
    this.#scheduled = false;
    this.#hurry();
    await this.#writing;
    const path = this.path;
    if (path === null) return;
    await notebookStore(path).write(path, formatNotebook(this.#notebook), true);
    this.#tell({ type: "saved", output: path });
  }

  #warn(message: string): void {
    this.#tell({ type: "warning", message });
  }

  /** Resolves when nothing is being written. */
  async #settled(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  /** One after the other: an early state must not be renamed over a later one. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#writing = this.#writing
      .then(() => this.#pause())
      .then(() => this.#writeNow())
      .catch((error: unknown) => void (this.#failure ??= error));
  }

  /** Until the store's pace allows a write, and the code of the next cell has been sent at least. */
  #pause(): Promise<void> {
    const pace = this.path === null ? 0 : (notebookStore(this.path).pace ?? 0);
    const wait = this.#written + pace - Date.now();
    return new Promise((resume) => {
      if (wait <= 0 || !this.#scheduled) return void setImmediate(resume);
      const timer = setTimeout(resume, wait);
      this.#hurry = () => {
        clearTimeout(timer);
        resume();
      };
    });
  }

  async #writeNow(): Promise<void> {
    const path = this.path;
    if (!this.#scheduled || path === null) return;
    this.#scheduled = false;
    const begun = Date.now();
    await notebookStore(path).write(path, this.#formatter.format(this.#notebook), false);
    this.#written = this.#lastSave = Date.now();
    this.#took = this.#written - begun;
    this.#tell({ type: "saved", output: path });
  }
}

/** The files that take what cells print, written as each message comes, so that one can follow them. */
export class StreamFiles {
  readonly #files: { stdout?: number; stderr?: number } = {};

  /** @throws UserError for a file that cannot be written */
  constructor({ stdoutFile, stderrFile }: { stdoutFile?: string; stderrFile?: string }) {
    if (stdoutFile !== undefined) this.#files.stdout = open(stdoutFile);
    // Both streams can go to one file.
    if (stderrFile !== undefined) {
      const shared = stderrFile === stdoutFile ? this.#files.stdout : undefined;
      this.#files.stderr = shared ?? open(stderrFile);
    }
  }

  tell(event: RunnerEvent): void {
    if (event.type !== "output" || event.output.output_type !== "stream") return;
    const file = this.#files[event.output.name];
    if (file !== undefined) appendWhole(file, event.output.text);
  }

  close(): void {
    for (const file of new Set(Object.values(this.#files))) closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new UserError(
      `${path} cannot be written: ${messageOf(error)}; name a file in a folder that exists`,
    );
  }
}
