import { linkSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { UserError } from "../data/errors";

/**
 * Keeps two runs from writing to one output folder at the same time, and a run from those of single notebooks. A lock that
 * a killed run left behind does not count.
 *
 * @returns a function that gives the folder free again
 * @throws UserError when a run that is still going holds the folder
 */
export function lockOutputs(outputs: string): () => void {
  const free = take(join(outputs, ".lock"), outputs);
  const folder = join(outputs, ".locks");
  try {
    for (const name of namesIn(folder)) refuseLiving(join(folder, name), outputs);
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
  const folder = join(outputs, ".locks");
  const release = take(join(folder, name), outputs);
  const free = (): void => {
    release();
    try {
      rmdirSync(folder);
    } catch {
      // Others have theirs there.
    }
  };
  try {
    refuseLiving(join(outputs, ".lock"), outputs);
  } catch (error) {
    free();
    throw error;
  }
  return free;
}

function take(path: string, outputs: string): () => void {
  // Written aside and linked: a lock is there whole or not at all, also for who looks at this very moment.
  const aside = `${path}.${process.pid}`;
  for (let attempt = 0; attempt < 3; attempt++) {
    mkdirSync(join(path, ".."), { recursive: true });
    try {
      writeFileSync(aside, [process.pid, startOf(process.pid), hostname()].join(" "));
      linkSync(aside, path);
      return () => rmSync(path, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // ENOENT: another run's end has just removed the empty folder.
      if (code !== "EEXIST" && code !== "ENOENT") throw error;
    } finally {
      rmSync(aside, { force: true });
    }
    refuseLiving(path, outputs);
    rmSync(path, { force: true });
  }
  throw new UserError(
    `another run has just begun to write to ${outputs}: wait for it, or give --outputs DIR`,
  );
}

/** @throws UserError when whoever left this lock still runs, or may, on another machine */
function refuseLiving(path: string, outputs: string): void {
  let words: string[];
  try {
    words = readFileSync(path, "utf8").split(" ");
  } catch {
    return; // given free meanwhile
  }
  const [pid, start = "", host = hostname()] = [Number.parseInt(words[0] ?? "", 10), words[1], words[2]];
  if (!Number.isInteger(pid)) return;
  if (host !== hostname()) {
    throw new UserError(
      `another run (process ${pid} on ${host}) is writing to ${outputs}: wait for it, give --outputs DIR, or remove ${path} if that run is gone`,
    );
  }
  if (!isAlive(pid) || (start !== "" && startOf(pid) !== start)) return;
  throw new UserError(
    `another run (process ${pid}) is writing to ${outputs}: wait for it, or give --outputs DIR`,
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** When a process began, in the kernel's ticks: numbers of processes come again. "" where Linux does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Field 22; the second, the command's name in parentheses, may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
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
