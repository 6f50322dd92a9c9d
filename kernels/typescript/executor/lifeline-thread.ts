import { Session } from "node:inspector";
import { Socket } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { InterruptReader, LIFELINE_FD, STOP } from "../wire/index.js";
import { signalTree, youngestChild } from "./children.js";
import { ASKED, HEARD, MEANT, RUNNING, TERMINATE, WAITING, type Word } from "./lifeline.js";

/** What the main thread gets to hear of an interrupt by itself, in milliseconds: it does when the cell awaits, loops or computes with tensors. */
const GRACE_MS = 150;
/** What code that has heard of it gets to end, in milliseconds: it may catch the error, and go on in a loop. */
const ENDING_MS = 3000;
/** What a child process that the main thread waits for gets to end after a SIGINT, in milliseconds. */
const CHILD_MS = 2000;
/** How often is looked again whether it has. */
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
 * Tells the main thread, and the loops that it may be in. A cell that does not let it hear, in the loop of a library say, is
 * terminated. (A signal, which Node can have end a script, would end neither a loop after an `await` nor be safe: between
 * two scripts it ends the process.)
 */
function interrupt(execution: number): void {
  Atomics.store(places, MEANT, execution);
  const asked = Atomics.add(places, ASKED, 1) + 1;
  evaluate(`globalThis[${JSON.stringify(STOP)}] = true`);
  tell({ execution, asked });
  const began = performance.now();
  const again = (): void => void setTimeout(look, AGAIN_MS);
  const look = (): void => {
    if (Atomics.load(places, RUNNING) !== execution) return;
    const heard = Atomics.load(places, HEARD) >= asked;
    const passed = performance.now() - began;
    if (heard && passed < ENDING_MS) again();
    else if (Atomics.load(places, WAITING) !== 0 && passed < ENDING_MS) {
      endChild(passed < CHILD_MS ? "SIGINT" : "SIGKILL");
      again();
    } else {
      endChild("SIGKILL");
      terminate(execution, again);
    }
  };
  setTimeout(look, GRACE_MS);
}

/** The child that was told to end last, and how. */
let told = "";

/** Ends the child process that the main thread waits for. */
function endChild(signal: NodeJS.Signals): void {
  const before = Atomics.load(places, WAITING);
  const child = youngestChild();
  if (before === 0 || child === 0 || child === before || told === `${child} ${signal}`) return;
  told = `${child} ${signal}`;
  signalTree(child, signal);
}

/** Has the main thread end what it computes, if that is a cell's. */
function terminate(execution: number, orElse: () => void): void {
  evaluate(`globalThis[${JSON.stringify(TERMINATE)}](${execution})`, (value) => {
    // Terminated, the evaluation may not get to say so.
    if (value === false) orElse();
    else tell({ execution, terminated: true });
  });
}

/** Evaluates an expression on the main thread, in the middle of whatever that does. */
function evaluate(expression: string, done: (value: unknown) => void = () => undefined): void {
  const session = new Session();
  session.connectToMainThread();
  session.post("Runtime.evaluate", { expression }, (_error, answer?: { result: { value?: unknown } }) => {
    session.disconnect();
    done(answer?.result.value);
  });
}

function tell(word: Word): void {
  parentPort?.postMessage(word);
}
