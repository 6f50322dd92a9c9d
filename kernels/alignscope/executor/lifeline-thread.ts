import { Session } from "node:inspector";
import { Socket } from "node:net";
import { workerData } from "node:worker_threads";
import { INTERRUPT, LIFELINE_FD } from "../wire";
import { GRACE_MS, IN_CELL, INTERRUPTS_ASKED, INTERRUPTS_DONE } from "./lifeline";

/*
 * A thread of its own, which hears the front also while a cell computes without a pause. When the front is gone this process
 * and what it has started are killed: nothing gentler ends such a cell, and nobody could read what it makes.
 */
const counters = new Int32Array(workerData as SharedArrayBuffer);
const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });

lifeline.on("data", (bytes) => {
  for (const byte of bytes) if (byte === INTERRUPT) interrupt();
});
lifeline.on("error", () => undefined);
lifeline.on("close", () => {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.kill(process.pid, "SIGKILL"); // Not the leader of a group: started by hand, or in a test.
  }
});

/**
 * The signal that comes with the byte stops a loop of the cell itself, and the main thread takes note when it can. A loop
 * after an `await` runs outside of what the signal stops: that is terminated from here.
 */
function interrupt(): void {
  const asked = Atomics.add(counters, INTERRUPTS_ASKED, 1) + 1;
  setTimeout(() => {
    if (Atomics.load(counters, INTERRUPTS_DONE) >= asked || !Atomics.load(counters, IN_CELL)) return;
    const session = new Session();
    session.connectToMainThread();
    session.post("Runtime.terminateExecution", () => session.disconnect());
  }, GRACE_MS);
}
