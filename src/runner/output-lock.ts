import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { UserError, messageOf } from "../data/errors";

/** Who holds a lock. A process number alone is not enough: a container's first process always has the same. */
interface Holder {
  pid: number;
  host: string;
  /** When the process began, as the system counts; null where it does not tell. */
  began: string | null;
}

/**
 * Keeps two runs from writing to one path at the same time: a file beside it says whose it is. What a killed run left
 * behind is taken over.
 *
 * @returns a function that gives the path free again
 * @throws UserError in one line while another run lives
 */
export function lockOutput(path: string): () => void {
  const file = lockFileOf(path);
  const mine = `${JSON.stringify({ pid: process.pid, host: hostname(), began: beginOf(process.pid) })}\n`;
  for (let attempt = 0; attempt < 5; attempt++) {
    if (create(file, mine)) return () => releaseIfMine(file, mine);
    const found = textOf(file);
    if (found === undefined) continue; // given free meanwhile
    const holder = parse(found);
    if (holder && isAlive(holder)) {
      const where = holder.host === hostname() ? "" : ` on ${holder.host}; if it is gone, remove ${file}`;
      throw new UserError(
        `another run (process ${holder.pid}${where}) is writing to ${path}: wait for it, or name another output`,
      );
    }
    takeAway(file, found);
  }
  throw new UserError(`another run has just begun to write to ${path}: wait for it, or name another output`);
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

/** With all its text at once, so that nobody reads half of it; false when it is there already. */
function create(file: string, text: string): boolean {
  const aside = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    writeFileSync(aside, text, { flag: "wx" });
    try {
      linkSync(aside, file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EEXIST") return false;
      writeFileSync(file, text, { flag: "wx" }); // A file system without links.
    } finally {
      rmSync(aside, { force: true });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new UserError(`cannot write the lock ${file} (${messageOf(error)})`);
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

function releaseIfMine(file: string, mine: string): void {
  if (textOf(file) === mine) rmSync(file, { force: true });
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    return typeof value.pid === "number" && typeof value.host === "string" ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true; // Nobody here can tell.
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const began = beginOf(holder.pid);
  return began === null || holder.began === null || began === holder.began;
}

/** The twenty-second field of Linux's /proc/PID/stat; the second one may hold spaces. */
function beginOf(pid: number): string | null {
  const fields = textOf(`/proc/${pid}/stat`)
    ?.replace(/^\d+ \(.*\) /s, "")
    .split(" ");
  return fields?.[19] ?? null;
}
