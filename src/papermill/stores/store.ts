import type { Notebook } from "jupyter-wire";

/** Reads and writes notebooks at paths of one kind. */
export interface NotebookStore {
  handles(path: string): boolean;
  read(path: string): Promise<Notebook>;
  /** Throws a UserError when the path cannot be written: asked before any kernel starts. */
  checkWritable(path: string): void;
  /** Writes the text of a notebook's file; `final` is false for what is written while the run goes on. */
  write(path: string, text: string, final: boolean): Promise<void>;
  /** Milliseconds that must lie between two writes while a run goes on; the last write never waits. */
  pace?: number;
  /** Loads what writing will need, so that a package that is absent is heard of before the run. */
  prepare?(path: string): Promise<void>;
  /** Keeps other runs from writing the same path; returns what gives it free again. */
  lock?(path: string): () => void;
}

/** Milliseconds that lie at least between two writes over a network while a run goes on. */
export const NETWORK_PACE = 5000;
