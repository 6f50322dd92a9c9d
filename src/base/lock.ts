import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A lock that nobody has touched for so long was left behind, by a process that died or on a machine that did. */
const STALE_MS = 30_000;

function take(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid} ${hostname()}`, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // there, but somebody else's
  }
}

function isStale(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_MS) return true;
    const [pid, host] = readFileSync(path, "utf8").split(" ");
    return host === hostname() && !isAlive(Number(pid));
  } catch {
    return false; // given back in the meantime
  }
}

/**
 * Runs `action` while this process, and no other that asks for the same lock file, is at it; others wait. The holder
 * touches the file while it works, so that a lock outlives neither a crash nor the machine it was taken on.
 *
 * Two processes that find the same stale lock at the same instant may both go on: what is done under the lock has to
 * be checked afterwards, as a download is against its sha256.
 */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  while (!take(path)) {
    if (isStale(path)) rmSync(path, { force: true });
    else await sleep(250);
  }
  const touch = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {
      // Somebody removed the lock file; the work under it is checked at its end.
    }
  }, STALE_MS / 6);
  touch.unref();
  try {
    return await action();
  } finally {
    clearInterval(touch);
    rmSync(path, { force: true });
  }
}
