import { Session } from "node:inspector";
import { Worker } from "node:worker_threads";
import { executionOf, RUNTIME, STOP } from "../wire/index.js";
import { isWriting } from "./channel.js";
import { youngestChild } from "./children.js";

/** Places in the memory that both threads see: how many interrupts were asked for and heard of, and the execution meant last. */
export const ASKED = 0;
export const HEARD = 1;
export const MEANT = 2;
/** The number of the execution that runs; 0 while none does. */
export const RUNNING = 3;
/** While the thread waits for a child process: the child before that one, or NO_CHILD; 0 while it does not wait. */
export const WAITING = 4;
const NO_CHILD = -1;
const PLACES = 5;

/** What the thread says of an execution: that it is to end, and the how manieth interrupt this is; or that it was terminated. */
export type Word = { execution: number } & ({ asked: number } | { terminated: true });

/** What the main thread does with it. */
export interface Hearer {
  /** Called when the thread is free or calls `hear`. */
  interrupted(execution: number): void;
  /** Called when the thread is free again. */
  terminated(execution: number): void;
}

/** Room for the few objects of lifeline-thread.ts: a thread with Node's usual limits would take several times as much. */
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 };

/** The main thread's end of what it shares with the thread that hears the front at any time. */
export interface Lifeline {
  /**
   * An execution begins. The thread is started with the first: an idle kernel does without its memory, and hears of the
   * front's end by its other pipe.
   */
  begin(execution: number): void;
  over(): void;
  /** Does what waits for a child process and hears nothing meanwhile; an interrupt ends the child. */
  wait(work: () => unknown): unknown;
  /** Hears at once of an interrupt that nothing but the thread knows of yet. */
  hear(): void;
}

/** By this name of the global object the thread has the main thread look whether a cell computes, and end that. */
export const TERMINATE = `terminate_${RUNTIME}`;

/** `isLocal` knows the files that are run as a part of cells. */
export function holdLifeline(hearer: Hearer, isLocal: (path: string) => boolean): Lifeline {
  const shared = new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT);
  const places = new Int32Array(shared);
  let started = false;
  const hearUpTo = (asked: number, execution: number): void => {
    if (Atomics.load(places, HEARD) >= asked) return;
    Atomics.store(places, HEARD, asked);
    hearer.interrupted(execution);
  };
  const lookAway = (): void => {
    if (Reflect.get(globalThis, STOP) === true) Reflect.set(globalThis, STOP, false);
  };
  const hear = (): void => {
    if (places[ASKED] !== places[HEARD]) hearUpTo(Atomics.load(places, ASKED), Atomics.load(places, MEANT));
    else if (places[MEANT] !== places[RUNNING]) lookAway();
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
  Object.defineProperty(globalThis, STOP, { value: false, writable: true });
  Object.defineProperty(globalThis, TERMINATE, {
    value: (execution: number) =>
      places[RUNNING] === execution && !isWriting() && computes(isLocal) && terminate(),
  });
  return {
    hear,
    begin(execution) {
      if (!started) start();
      Atomics.store(places, RUNNING, execution);
      lookAway();
    },
    over() {
      Atomics.store(places, RUNNING, 0);
      lookAway();
    },
    wait(work) {
      Atomics.store(places, WAITING, youngestChild() || NO_CHILD);
      try {
        return work();
      } finally {
        Atomics.store(places, WAITING, 0);
      }
    },
  };
}

/** Whether code of a cell stands on the stack: this is called in the middle of whatever the thread does. */
function computes(isLocal: (path: string) => boolean): boolean {
  const { stackTraceLimit } = Error;
  const prepareStackTrace: unknown = Reflect.get(Error, "prepareStackTrace");
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (_error, sites) =>
    sites.some((site) => {
      const file = site.isAsync() ? null : site.getFileName();
      return file !== null && file !== undefined && (executionOf(file) !== undefined || isLocal(file));
    });
  try {
    return new Error().stack as unknown as boolean;
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
}

let session: Session | undefined;

/**
 * Asked for on the very thread, V8 ends the code that stands on its stack. Asked for by another thread it ends whatever runs
 * when that is heard, which may be the kernel.
 */
function terminate(): true {
  if (!session) {
    session = new Session();
    session.connect();
  }
  session.post("Runtime.terminateExecution");
  return true;
}
