import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError, messageOf } from "./errors.js";

/*
 * A lock is a file that names its holder: process, when that began, machine, and a number of this one taking. It lasts as
 * long as its holder lives, however long that computes without a pause: age says nothing. Whether the holder lives is
 * asked of the system, so the lock of a process that was killed is free at once. Of a process on another machine nobody
 * here can tell: its lock is respected until somebody removes the file.
 */

/** What a lock keeps for one run, as its messages say it: "is writing to `what`: wait for it, or `otherwise`". */
export interface Locked {
  what: string;
  /** What else than waiting can be done. */
  otherwise: string;
}

export interface Waiting {
  /** Milliseconds between two looks at a lock that is held; 250 unless told. */
  lookEvery?: number;
  /** Milliseconds after which waiting for another machine's lock ends in an error; ten minutes unless told. */
  elsewhereAtMost?: number;
  /** Called once, with what is waited for, when that has taken {@link TELL_AFTER_MS}; a warning on stderr unless given. */
  onWait?: (message: string) => void;
  signal?: AbortSignal;
}

/** Somebody else holds the lock. */
export class HeldError extends UserError {
  constructor(
    message: string,
    /** Whether the holder is on another machine, where nobody here can see whether it lives. */
    readonly elsewhere = false,
  ) {
    super(message);
  }
}

const ATTEMPTS = 50;
/** Milliseconds between attempts, for another run that is just taking the lock or just removing a dead one's. */
const PAUSE_MS = 10;
const UNREADABLE_MS = 2000;
const TELL_AFTER_MS = 5000;

/**
 * Takes a lock file for this process, or refuses at once.
 *
 * @returns a function that gives it free again
 * @throws HeldError in one line while another run holds it; UserError where the file cannot be written
 * @example const free = takeLock("outputs/.lock", { what: "outputs", otherwise: "give --outputs DIR" });
 */
export function takeLock(file: string, locked: Locked): () => void {
  const mine = [process.pid, beginOf(process.pid), hostname(), numbering(), randomUUID()].join(" ");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    if (create(file, mine)) {
      return () => {
        if (textOf(file) === mine) rmSync(file, { force: true });
      };
    }
    const found = textOf(file);
    if (found === undefined) continue; // given free meanwhile, or the folder takes no files
    refuseHolder(found, file, locked);
    removeDead(file, found, locked);
  }
  if (textOf(file) === undefined) {
    const where = `nothing can be made in ${dirname(file)}`;
    throw new UserError(`cannot write to ${locked.what}: ${where}: ${locked.otherwise}`);
  }
  throw justBegun(locked);
}

/**
 * Runs `action` while this process, and no other that asks for the same lock file, is at it; waits while another is.
 *
 * @throws HeldError after a long wait for another machine's process; UserError where the file cannot be written
 * @example await withLock(`${target}.lock`, { what: target, otherwise: "name another file" }, () => fetch(target));
 */
export async function withLock<T>(
  file: string,
  locked: Locked,
  action: () => Promise<T>,
  waiting?: Waiting,
): Promise<T> {
  const free = await whenFree(() => takeLock(file, locked), waiting);
  try {
    return await action();
  } finally {
    free();
  }
}

/** What `take` returns, tried again for as long as it throws {@link HeldError}. */
export async function whenFree<T>(take: () => T, waiting: Waiting = {}): Promise<T> {
  const { lookEvery = 250, elsewhereAtMost = 600_000, onWait = warn, signal } = waiting;
  const began = Date.now();
  for (let told = false; ;) {
    try {
      return take();
    } catch (error) {
      if (!(error instanceof HeldError) || signal?.aborted) throw error;
      const waited = Date.now() - began;
      if (error.elsewhere && waited >= elsewhereAtMost) throw error;
      if (!told && waited >= TELL_AFTER_MS) {
        told = true;
        onWait(error.message);
      }
    }
    await sleep(lookEvery, undefined, { signal }).catch(() => undefined); // the last look, if it was aborted
  }
}

/**
 * Leaves the lock as it is.
 *
 * @throws HeldError in one line when a run that lives, or may, on another machine, holds it
 */
export function refuseHeld(file: string, locked: Locked): void {
  const found = textOf(file);
  if (found !== undefined) refuseHolder(found, file, locked);
}

function refuseHolder(text: string, file: string, locked: Locked): void {
  const { what, otherwise } = locked;
  const [number, began = "", host = hostname(), numbers = ""] = text.split(" ");
  const pid = Number.parseInt(number ?? "", 10);
  if (Number.isNaN(pid)) {
    // Only where a file system has no links is a lock there before its text; who was killed in between left none.
    if (Date.now() - modified(file) < UNREADABLE_MS) throw justBegun(locked);
    return;
  }
  const elsewhere = whereElse(host, numbers);
  if (elsewhere === undefined && !lives(pid, began)) return;
  const gone = elsewhere === undefined ? "" : ` ${elsewhere}; if it is gone, remove ${file}`;
  throw new HeldError(
    `another run (process ${pid}${gone}) is writing to ${what}: wait for it, or ${otherwise}`,
    elsewhere !== undefined,
  );
}

function justBegun({ what, otherwise }: Locked): HeldError {
  return new HeldError(`another run has just begun to write to ${what}: wait for it, or ${otherwise}`);
}

/** False when the file is there already. It comes with all its text, where the file system has links. */
function create(file: string, text: string): boolean {
  const aside = `${file}.${randomUUID().slice(0, 8)}`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(aside, text, { flag: "wx" });
    try {
      linkSync(aside, file);
    } catch (error) {
      if (isOneOf(error, "EEXIST", "ENOENT")) throw error;
      writeFileSync(file, text, { flag: "wx" });
    }
    return true;
  } catch (error) {
    // ENOENT: another run's end has just removed the folder that was empty. A file server may have made the link and lost
    // its answer.
    if (isOneOf(error, "EEXIST", "ENOENT")) return textOf(file) === text;
    throw new UserError(`cannot write the lock ${file} (${messageOf(error)})`);
  } finally {
    rmSync(aside, { force: true });
  }
}

/**
 * Removes the lock of a holder that is dead. Between finding it dead and removing it another run may have done so and taken
 * the lock itself; so it is looked at again, under a lock on this removal: no two texts are the same, and only who holds
 * that one removes this text.
 */
function removeDead(file: string, text: string, locked: Locked): void {
  const removal = `${file}.${createHash("sha256").update(text).digest("hex").slice(0, 8)}`;
  let free: () => void;
  try {
    free = takeLock(removal, locked);
  } catch (error) {
    if (error instanceof HeldError && !error.elsewhere) return; // Another run is at it.
    throw error;
  }
  try {
    if (textOf(file) === text) rmSync(file, { force: true });
  } finally {
    free();
  }
}

/** A number alone is not enough: numbers come again. Where the system does not say when a process began, it has to be. */
function lives(pid: number, began: string): boolean {
  try {
    process.kill(pid, 0); // Signal 0 only asks.
  } catch (error) {
    if (!isOneOf(error, "EPERM")) return false; // EPERM: there, but somebody else's.
  }
  const now = beginOf(pid);
  return now !== "ended" && (now === "" || began === "" || now === began);
}

/**
 * When a process began, in the system's ticks: the 22nd field of Linux's /proc/PID/stat. "" where it does not tell, "ended"
 * for one that has ended and is only waited for by its parent.
 */
function beginOf(pid: number): string {
  const stat = textOf(`/proc/${pid}/stat`) ?? "";
  // The second field, the command's name in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ["Z", "X"].includes(fields[0] ?? "") ? "ended" : (fields[19] ?? "");
}

function whereElse(host: string, numbers: string): string | undefined {
  if (host !== hostname()) return `on ${host}`;
  return ["", numbering()].includes(numbers) ? undefined : `in another container of ${host}`;
}

/**
 * Within what a process's number means something: Linux's namespace of them. Containers may bear the name of their machine,
 * or of each other, and see none of each other's processes. "" where the system does not tell.
 */
function numbering(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function warn(message: string): void {
  process.emitWarning(`waiting: ${message}`);
}

function isOneOf(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
