import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { refuseHeld, takeLock, type Locked } from "@alignscope/base/lock";

/**
 * Keeps two runs from writing to one output folder at the same time, and a run from those of single notebooks. A lock that
 * a killed run left behind does not count.
 *
 * @returns a function that gives the folder free again
 * @throws UserError when a run that is still going holds the folder
 */
export function lockOutputs(outputs: string): () => void {
  const locked = lockedFolder(outputs);
  const free = takeLock(join(outputs, ".lock"), locked);
  const folder = join(outputs, ".locks");
  try {
    for (const name of namesIn(folder)) refuseHeld(join(folder, name), locked);
  } catch (error) {
    free();
    throw error;
  }
  rmSync(folder, { recursive: true, force: true });
  return free;
}

/**
 * Keeps two runs from one notebook, and out of a folder that a whole run holds; runs of other notebooks go on beside it.
 * Each of the two sides leaves its own lock before it looks for the other's: one of them sees the other at least.
 */
export function lockNotebook(outputs: string, name: string): () => void {
  const locked = lockedFolder(outputs);
  const folder = join(outputs, ".locks");
  const release = takeLock(join(folder, name), locked);
  const free = (): void => {
    release();
    try {
      rmdirSync(folder);
    } catch {
      // Others have theirs there.
    }
  };
  try {
    refuseHeld(join(outputs, ".lock"), locked);
  } catch (error) {
    free();
    throw error;
  }
  return free;
}

function lockedFolder(outputs: string): Locked {
  return { what: outputs, otherwise: "give --outputs DIR" };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
