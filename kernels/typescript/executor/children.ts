import childProcess from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/*
 * While Node waits for a child process (`execSync` and its like), its main thread hears nothing: an interrupt ends the
 * child. Linux tells which it is; elsewhere the cell ends when its child does.
 */

const WAITING = ["execFileSync", "execSync", "spawnSync"] as const;

/** Has what waits for a child be run by `wait`. */
export function wrapWaits(wait: (work: () => unknown) => unknown): void {
  for (const name of WAITING) {
    const original = childProcess[name] as (...given: unknown[]) => unknown;
    const replaced = (...given: unknown[]): unknown => wait(() => original(...given));
    Object.defineProperties(replaced, Object.getOwnPropertyDescriptors(original));
    Reflect.set(childProcess, name, replaced);
  }
  syncBuiltinESMExports();
}

/** The process that the main thread has started last and that has not ended; 0 if there is none, or none is known. */
export function youngestChild(): number {
  return childrenOf(process.pid, String(process.pid)).at(-1) ?? 0;
}

/** Signals a process and what it has started, which it may wait for. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const child of threadsOf(pid).flatMap((thread) => childrenOf(pid, thread))) signalTree(child, signal);
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** The oldest first. */
function childrenOf(pid: number, thread: string): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8");
    return text.split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
