import childProcess from "node:child_process";
import { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { processTree } from "@alignscope/base/process-tree";

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
  try {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
    return Number(children.trim().split(" ").at(-1));
  } catch {
    return 0;
  }
}

/** Signals a process and what it has started, which it may wait for: the youngest first. */
export function signalTree(root: number, signal: NodeJS.Signals): void {
  for (const pid of processTree(root).reverse()) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
  }
}
