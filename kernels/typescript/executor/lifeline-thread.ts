import { Session } from "node:inspector";
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { InterruptReader, LIFELINE_FD } from "../wire/index.js";
import { ASKED, HEARD, IN_CELL, MEANT, TERMINATED, type Word } from "./lifeline.js";

/** What the main thread gets to hear of an interrupt by itself, in milliseconds: it does when the cell awaits or computes with tensors. */
const GRACE_MS = 150;
/** What code that has heard of it gets to end, in milliseconds: it may catch the error, and go on in a loop. */
const ENDING_MS = 3000;
/** How often is looked again whether the compiler, which nothing may stop, has given way to the cell. */
const AGAIN_MS = 20;

/*
 * A thread of its own, which hears the front also while a cell computes without a pause. When the front is gone this process
 * and what it has started are killed: nothing gentler ends such a cell, and nobody could read what it makes.
 */
const places = new Int32Array(workerData as SharedArrayBuffer);
const interrupts = new InterruptReader();
const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });

lifeline.on("data", (chunk) => {
  for (const execution of interrupts.read(chunk)) interrupt(execution);
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
 * Tells the main thread. A cell that does not let it hear, in a loop say, is terminated. (A signal, which Node can have end
 * a script, would end neither a loop after an `await` nor be safe: between two scripts it ends the process.)
 */
function interrupt(execution: number): void {
  Atomics.store(places, MEANT, execution);
  const asked = Atomics.add(places, ASKED, 1) + 1;
  tell({ execution, asked });
  const inCell = (): boolean => Atomics.load(places, IN_CELL) === execution;
  const look = (): void => {
    if (Atomics.load(places, HEARD) >= asked) setTimeout(() => inCell() && terminate(execution), ENDING_MS);
    else if (inCell()) terminate(execution);
    else setTimeout(look, AGAIN_MS);
  };
  setTimeout(look, GRACE_MS);
}

function terminate(execution: number): void {
  Atomics.store(places, TERMINATED, execution);
  const session = new Session();
  session.connectToMainThread();
  session.post("Runtime.terminateExecution", () => {
    session.disconnect();
    tell({ execution, terminated: true });
  });
}

function tell(word: Word): void {
  parentPort?.postMessage(word);
}
