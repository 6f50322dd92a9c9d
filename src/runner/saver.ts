import type { Notebook } from "../jupyter";
import { notebookStore } from "./notebook-io";
import type { ExecuteOptions, RunnerEvent } from "./options";

const DEFAULT_AUTOSAVE_SECONDS = 30;

/** Writes the output notebook: when asked, and while a cell keeps producing output. */
export class Saver {
  readonly path: string | null;
  readonly #notebook: Notebook;
  readonly #onCells: boolean;
  readonly #tell: (event: RunnerEvent) => void;
  #interval: number;
  #lastSave = Date.now();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    notebook: Notebook,
    path: string | null,
    options: ExecuteOptions,
    tell: (event: RunnerEvent) => void,
  ) {
    this.path = path;
    this.#notebook = notebook;
    this.#tell = tell;
    this.#onCells = (options.requestSaveOnCellExecute ?? true) && path !== "-";
    this.#interval = (options.autosaveCellEvery ?? DEFAULT_AUTOSAVE_SECONDS) * 1000;
  }

  /** A cell began or ended. */
  async save(): Promise<void> {
    if (this.#onCells) await this.#write(false);
  }

  /** A message of a running cell came; a save that takes long makes the next ones rarer. */
  outputArrived(): void {
    if (this.#interval <= 0 || !this.#onCells || Date.now() - this.#lastSave < this.#interval) return;
    const begun = (this.#lastSave = Date.now());
    void this.#write(false).then(
      () => {
        if (Date.now() - begun <= this.#interval / 4) return;
        this.#interval *= 2;
        this.#warn(`saving while a cell runs takes long: the next save in ${this.#interval / 1000} s`);
      },
      (error: Error) => this.#warn(error.message),
    );
  }

  /** The run is over. */
  async saveFinal(): Promise<void> {
    await this.#write(true);
  }

  #warn(message: string): void {
    this.#tell({ type: "warning", message });
  }

  async #write(final: boolean): Promise<void> {
    const path = this.path;
    if (path === null) return;
    // One after the other: an early state must not be renamed over a later one.
    const writing = this.#writing.then(() => notebookStore(path).write(path, this.#notebook, final));
    this.#writing = writing.catch(() => undefined);
    await writing;
    this.#lastSave = Date.now();
    this.#tell({ type: "saved", output: path });
  }
}
