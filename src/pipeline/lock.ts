import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../data/errors";

/**
 * Keeps two runs from writing to one output folder at the same time. A lock that a killed run left behind does not count.
 *
 * @returns a function that gives the folder free again
 * @throws UserError when a run that is still going holds the folder
 */
export function lockOutputs(outputs: string): () => void {
  const path = join(outputs, ".lock");
  mkdirSync(outputs, { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = holderOf(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new UserError(
        `another run (process ${holder}) is writing to ${outputs}: wait for it, or give --outputs DIR`,
      );
    }
    rmSync(path, { force: true });
  }
  throw new UserError(
    `another run has just begun to write to ${outputs}: wait for it, or give --outputs DIR`,
  );
}

function holderOf(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, "utf8"), 10) || undefined;
  } catch {
    return undefined; // given free meanwhile
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
