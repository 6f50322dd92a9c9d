import { formatNotebook, NotebookFormatter, type Cell, type Notebook } from "../jupyter";
import { notebookStore } from "./notebook-io";
import type { ExecuteOptions, RunnerEvent } from "./options";

const DEFAULT_AUTOSAVE_SECONDS = 30;

/**
 * Writes the output notebook: at the begin and end of cells, while a cell keeps producing output, and at the end. The
 * kernel does not wait for the disk: what is asked for while a write goes on is written when it is done, once, in the
 * state of then.
 */
export class Saver {
  readonly path: string | null;
  readonly #notebook: Notebook;
  readonly #formatter = new NotebookFormatter();
  readonly #onCells: boolean;
  readonly #tell: (event: RunnerEvent) => void;
  #interval: number;
  #lastSave = Date.now();
  /** When the last write was begun. */
  #begun = 0;
  #scheduled = false;
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
    const begun = (this.#lastSave = Date.now());
    this.#schedule();
    this.#settled().then(
      () => {
        if (Date.now() - begun <= this.#interval / 4) return;
        this.#interval *= 2;
        this.#warn(`saving while a cell runs takes long: the next save in ${this.#interval / 1000} s`);
      },
      (error: Error) => this.#warn(error.message),
    );
  }

  /** The run is over: every cell is written anew. */
  async saveFinal(): Promise<void> {
    this.#scheduled = false;
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
    const pace = this.path === null ? 0 : (notebookStore(this.path).pace ?? 0);
    if (this.#begun > 0 && Date.now() - this.#begun < pace) return;
    this.#scheduled = true;
    this.#writing = this.#writing
      // After the code of the next cell has been sent, so that the end of one and the begin of the next are one write.
      .then(() => new Promise<void>((resume) => setImmediate(resume)))
      .then(() => this.#writeNow())
      .catch((error: unknown) => void (this.#failure ??= error));
  }

  async #writeNow(): Promise<void> {
    const path = this.path;
    if (!this.#scheduled || path === null) return;
    this.#scheduled = false;
    this.#begun = Date.now();
    await notebookStore(path).write(path, this.#formatter.format(this.#notebook), false);
    this.#lastSave = Date.now();
    this.#tell({ type: "saved", output: path });
  }
}
