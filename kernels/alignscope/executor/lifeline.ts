import { join } from "node:path";
import { Worker } from "node:worker_threads";

/** Places in the memory that both threads see: how many interrupts were asked for and heard of, and whose code runs now. */
export const ASKED = 0;
export const HEARD = 1;
/** The number of the execution whose own code runs; 0 while the kernel's does. */
export const IN_CELL = 2;
/** The execution that was terminated last. */
export const TERMINATED = 3;
const PLACES = 4;

/** Room for the few objects of lifeline-thread.ts: a thread with Node's usual limits would take several times as much. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** The main thread's end of what it shares with the thread that hears the front at any time. */
export interface Lifeline {
  /**
   * To be called around a cell's own code: only that may be terminated, the compiler would not survive it. The thread is
   * started with the first cell: an idle kernel does without its memory, and hears of the front's end by its other pipe.
   */
  enter(execution: number): void;
  leave(): void;
  /** Whether the execution was terminated: then nothing of it ever returns. */
  terminated(execution: number): boolean;
}

/** `onInterrupt` is called when the main thread is free, with the number of the execution to stop. */
export function holdLifeline(onInterrupt: (execution: number) => void): Lifeline {
  const shared = new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
  const places = new Int32Array(shared);
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
    thread.on("message", (execution: number) => {
      Atomics.add(places, HEARD, 1);
      onInterrupt(execution);
    });
    thread.unref();
  };
  return {
    enter(execution) {
      if (!started) start();
      Atomics.store(places, IN_CELL, execution);
    },
    leave: () => void Atomics.store(places, IN_CELL, 0),
    terminated: (execution) => Atomics.load(places, TERMINATED) === execution,
  };
}
