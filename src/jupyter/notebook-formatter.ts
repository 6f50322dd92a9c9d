import { formatCell, formatNotebook } from "./notebook-file.js";
import type { Cell, Notebook } from "./nbformat.js";

/**
 * {@link formatNotebook} for a notebook that is written often while little of it changes: the text of a cell is kept
 * until somebody says that the cell has changed.
 */
export class NotebookFormatter {
  readonly #texts = new WeakMap<Cell, string>();

  /** The cell is not as it was. */
  changed(cell: Cell): void {
    this.#texts.delete(cell);
  }

  format(notebook: Notebook): string {
    const frame = formatNotebook({ ...notebook, cells: [] });
    if (notebook.cells.length === 0) return frame;
    const cells = notebook.cells.map((cell) => this.#textOf(cell)).join(",\n");
    // Only what stands at the top has one space before it.
    return frame.replace(/^ "cells": \[\]/m, () => ` "cells": [\n${cells}\n ]`);
  }

  #textOf(cell: Cell): string {
    const kept = this.#texts.get(cell);
    if (kept !== undefined) return kept;
    const text = formatCell(cell);
    this.#texts.set(cell, text);
    return text;
  }
}
