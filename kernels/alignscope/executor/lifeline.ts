import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** Places in the memory that both threads see: two counters, and whether a cell's own code runs just now. */
export const INTERRUPTS_ASKED = 0;
export const INTERRUPTS_DONE = 1;
export const IN_CELL = 2;

/** What the main thread gets to stop by itself, in milliseconds. */
export const GRACE_MS = 500;

/** Room for the few objects of lifeline-thread.ts: a thread with Node's usual limits would take several times as much. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** The main thread's end of what it shares with the thread that hears the front at any time. */
export interface Lifeline {
  /** All interrupts so far have been taken note of. */
  interruptsDone(): void;
  /** Only the code of a cell may be terminated; the compiler would not survive it. */
  inCell(running: boolean): void;
}

/**
 * Prepares that thread, which is started when the first cell is about to run: an idle kernel does without its memory, and
 * hears of the front's end by its own pipe.
 */
export function holdLifeline(): Lifeline {
  const shared = new SharedArrayBuffer(12);
  const counters = new Int32Array(shared);
  let started = false;
  const start = (): void => {
    started = true;
    const thread = new Worker(join(__dirname, "lifeline-thread.js"), {
      workerData: shared,
      resourceLimits: LIMITS,
      // Its own streams would lead through the main thread's.
      stdin: false,
      stdout: true,
      stderr: true,
    });
    thread.on("error", () => process.exit(1));
    thread.unref();
  };
  return {
    interruptsDone: () =>
      void Atomics.store(counters, INTERRUPTS_DONE, Atomics.load(counters, INTERRUPTS_ASKED)),
    inCell(running) {
      if (running && !started) start();
      Atomics.store(counters, IN_CELL, running ? 1 : 0);
    },
  };
}
