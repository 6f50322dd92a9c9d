/*
 * The names that compiled code uses and nobody wrote. U+200D, the zero-width joiner, may stand inside an identifier and is
 * not seen: V8's messages and stacks read as if the name were the one that was written, and no other code can mean it.
 */

const JOINER = "\u200d";

/** The global property that holds a top-level name of the cells. */
export const slotOf = (name: string): string => name + JOINER;

/** The global object of functions that compiled code calls: `begin`, `until`, `resume`, … */
export const RUNTIME = `kernel${JOINER}${JOINER}`;

/**
 * The global flag that loops look at: true when there may be an interrupt to hear of. V8 takes a global property that does
 * not change for a constant, so that the look costs nothing.
 */
export const STOP = `stop${JOINER}${JOINER}`;

/** The global function that takes the value of a cell's last expression. */
export const RESULT = `result${JOINER}${JOINER}`;

const AFTER_NAME = /(?<=[\p{ID_Continue}$])\u200d+(?![\p{ID_Continue}$])/gu;

/** A text without the joiners that end names; those of emoji and within words stay. */
export const asWritten = (text: string): string => text.replace(AFTER_NAME, "");

const CELL_SCRIPT = /^ts-jupyter-kernel-cell-(\d+)\.ts$/;

/** The name under which V8 knows the script of an execution. */
export function cellScript(execution: number): string {
  return `ts-jupyter-kernel-cell-${execution}.ts`;
}

/** The execution whose script has that name. */
export function executionOf(source: string): number | undefined {
  const match = CELL_SCRIPT.exec(source);
  return match ? Number(match[1]) : undefined;
}
