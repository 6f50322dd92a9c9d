import { readdirSync, readFileSync } from "node:fs";

/** A process and everything it has started, from what Linux tells in /proc; elsewhere the process alone. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of running()) {
    const parent = parentOf(pid);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Resident memory of these processes together, in bytes; what they share counts for each. 0 where /proc is missing. */
export function residentBytes(pids: readonly number[]): number {
  let kibibytes = 0;
  for (const pid of pids) {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(procFile(pid, "status") ?? "");
    kibibytes += Number(match?.[1] ?? 0);
  }
  return kibibytes * 1024;
}

/** The most memory that a process has had resident since it began, in bytes; 0 where /proc is missing or it is gone. */
export function peakBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(procFile(pid, "status") ?? "");
  return Number(match?.[1] ?? 0) * 1024;
}

function running(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  // The second field is the command's name in parentheses, which may hold anything.
  const match = /^\d+ \(.*\) \S (\d+)/s.exec(procFile(pid, "stat") ?? "");
  return match ? Number(match[1]) : undefined;
}

function procFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return undefined; // It has just ended.
  }
}
