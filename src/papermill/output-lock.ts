import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { takeLock } from "@alignscope/base/lock";

/**
 * Keeps two runs from writing to one path at the same time: a file beside it says whose it is.
 *
 * @returns a function that gives the path free again
 * @throws UserError in one line while another run lives
 */
export function lockOutput(path: string): () => void {
  return takeLock(lockFileOf(path), { what: path, otherwise: "name another output" });
}

/** Beside the file that a link leads to, so that two names of one file have one lock. */
function lockFileOf(path: string): string {
  let real = resolve(path);
  try {
    real = realpathSync(real);
  } catch {
    real = join(realpathSync(dirname(real)), basename(real)); // It will be made.
  }
  return join(dirname(real), `.${basename(real)}.lock`);
}
