import { Worker } from "node:worker_threads";

/** Places in the memory that both threads see: how many interrupts were asked for and heard of, and the execution meant last. */
export const ASKED = 0;
export const HEARD = 1;
export const MEANT = 2;
/** The number of the execution whose own code runs; 0 while the kernel's does. */
export const IN_CELL = 3;
/** The execution that was terminated last. */
export const TERMINATED = 4;
const PLACES = 5;

/** What the thread says of an execution: that it is to end, and the how manieth interrupt this is; or that it was terminated. */
export type Word = { execution: number } & ({ asked: number } | { terminated: true });

/** What the main thread does with it. */
export interface Hearer {
  /** Called when the thread is free or calls `hear`. */
  interrupted(execution: number): void;
  terminated(execution: number): void;
}

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
  /**
   * Hears at once of an interrupt that nothing but the thread knows of yet: to be called where a cell's code can end well.
   * Returns whether this thread is in that code.
   */
  hear(execution: number): boolean;
  /** Whether the execution was terminated: then nothing of it ever returns. */
  terminated(execution: number): boolean;
}

export function holdLifeline(hearer: Hearer): Lifeline {
  const shared = new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
  const places = new Int32Array(shared);
  let started = false;
  const hearUpTo = (asked: number, execution: number): void => {
    if (Atomics.load(places, HEARD) >= asked) return;
    Atomics.store(places, HEARD, asked);
    hearer.interrupted(execution);
  };
  const start = (): void => {
    started = true;
    const thread = new Worker(new URL("./lifeline-thread.js", import.meta.url), {
      workerData: shared,
      resourceLimits: LIMITS,
      // Its own streams would lead through the main thread's.
      stdin: false,
      stdout: true,
      stderr: true,
    });
    thread.on("error", () => process.exit(1));
    thread.on("message", (word: Word) => {
      if ("asked" in word) hearUpTo(word.asked, word.execution);
      else hearer.terminated(word.execution);
    });
    thread.unref();
  };
  return {
    enter(execution) {
      if (!started) start();
      Atomics.store(places, IN_CELL, execution);
    },
    leave: () => void Atomics.store(places, IN_CELL, 0),
    hear(execution) {
      if (places[IN_CELL] !== execution) return false;
      if (places[ASKED] !== places[HEARD]) hearUpTo(Atomics.load(places, ASKED), Atomics.load(places, MEANT));
      return true;
    },
    terminated: (execution) => Atomics.load(places, TERMINATED) === execution,
  };
}
