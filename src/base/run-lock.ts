import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { UserError, messageOf } from "./errors.js";

/** What a lock keeps for one run, as its messages say it: "is writing to `what`: wait for it, or `otherwise`". */
export interface Locked {
  what: string;
  /** What else than waiting can be done. */
  otherwise: string;
}

const ATTEMPTS = 5;

/**
 * Takes a lock file for this process, or refuses at once. What a killed run left behind is taken over; a lock is there
 * with all its text or not at all, so that nobody mistakes one that is just being made for one left behind.
 *
 * @returns a function that gives it free again
 * @throws UserError in one line while another run holds it
 * @example const free = takeRunLock("outputs/.lock", { what: "outputs", otherwise: "give --outputs DIR" });
 */
export function takeRunLock(file: string, locked: Locked): () => void {
  const mine = [process.pid, beginOf(process.pid), hostname()].join(" ");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(file, mine)) {
      return () => {
        if (textOf(file) === mine) rmSync(file, { force: true });
      };
    }
    const found = textOf(file);
    if (found === undefined) continue; // given free meanwhile, or the folder takes no files
    refuseHolder(found, file, locked);
    takeAway(file, found);
  }
  if (textOf(file) === undefined) {
    const where = `nothing can be made in ${dirname(file)}`;
    throw new UserError(`cannot write to ${locked.what}: ${where}: ${locked.otherwise}`);
  }
  throw new UserError(
    `another run has just begun to write to ${locked.what}: wait for it, or ${locked.otherwise}`,
  );
}

/**
 * Leaves the lock as it is.
 *
 * @throws UserError in one line when a run that lives, or may, on another machine, holds it
 */
export function refuseRunLock(file: string, locked: Locked): void {
  const found = textOf(file);
  if (found !== undefined) refuseHolder(found, file, locked);
}

function refuseHolder(text: string, file: string, { what, otherwise }: Locked): void {
  const [number, began = "", host = hostname()] = text.split(" ");
  const pid = Number.parseInt(number ?? "", 10);
  if (!Number.isInteger(pid) || !mayLive(pid, began, host)) return;
  const where = host === hostname() ? "" : ` on ${host}; if it is gone, remove ${file}`;
  throw new UserError(
    `another run (process ${pid}${where}) is writing to ${what}: wait for it, or ${otherwise}`,
  );
}

/** False when the file is there already. */
function create(file: string, text: string): boolean {
  const aside = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(aside, text, { flag: "wx" });
    try {
      linkSync(aside, file);
    } catch (error) {
      if (isOneOf(error, "EEXIST", "ENOENT")) throw error;
      writeFileSync(file, text, { flag: "wx" }); // A file system without links.
    }
    return true;
  } catch (error) {
    // ENOENT: another run's end has just removed the folder that was empty.
    if (isOneOf(error, "EEXIST", "ENOENT")) return false;
    throw new UserError(`cannot write the lock ${file} (${messageOf(error)})`);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Removes a lock that was found left behind, and puts back what came in its place meanwhile. */
function takeAway(file: string, found: string): void {
  const aside = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // Another run was faster.
  }
  if (textOf(aside) === found) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** A number alone is not enough: numbers come again, and a container's first process always has the same. */
function mayLive(pid: number, began: string, host: string): boolean {
  if (host !== hostname()) return true; // Nobody here can tell.
  try {
    process.kill(pid, 0); // Signal 0 only asks.
  } catch (error) {
    if (!isOneOf(error, "EPERM")) return false; // EPERM: there, but somebody else's.
  }
  const now = beginOf(pid);
  return now === "" || began === "" || now === began;
}

/** When a process began, in the system's ticks: the 22nd field of Linux's /proc/PID/stat. "" where it does not tell. */
function beginOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`) ?? "";
  // The second field, the command's name in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function isOneOf(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
