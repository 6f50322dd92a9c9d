// eslint-disable-next-line no-restricted-imports -- a switch of the kernel below /proc
import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets other programs go first: sets the niceness of this process and of the threads that it starts from here on. Linux
 * shares its processors out among sessions first (sched(7), autogroup), so that a run in a session of its own would get as
 * much as everyone else however nice it is: the session's niceness is set as well.
 *
 * @param niceness 0 (like any other) to 19 (only what nobody else wants)
 */
export function giveWay(niceness: number): void {
  setPriority(niceness);
  try {
    writeFileSync("/proc/self/autogroup", String(niceness));
  } catch {
    // No such thing here: another system, or a kernel without groups.
  }
}
