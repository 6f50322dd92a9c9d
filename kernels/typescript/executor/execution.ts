/** One run of one cell. */
export class Execution {
  /** Rejects when the execution is interrupted; settles at no other time. */
  readonly interruption: Promise<never>;
  /** Rejects when its code was terminated: whatever waited for `interruption` may have been lost with that code. */
  readonly termination: Promise<never>;
  #interrupted = false;
  #told = false;
  #reject!: (reason: Error) => void;
  #rejectTerminated!: (reason: Error) => void;

  constructor(
    /** The number by which the front knows it. */
    readonly id: number,
    readonly allowStdin: boolean,
    readonly silent: boolean,
  ) {
    this.interruption = new Promise((_, reject) => (this.#reject = reject));
    this.termination = new Promise((_, reject) => (this.#rejectTerminated = reject));
    this.interruption.catch(() => undefined);
    this.termination.catch(() => undefined);
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Whether the cell's code has met an InterruptedError: what it still does then is its clearing up. */
  get told(): boolean {
    return this.#told;
  }

  /** Ends the code that calls it when the cell was interrupted. */
  checkpoint(): void {
    if (!this.#interrupted) return;
    this.#told = true;
    throw new InterruptedError();
  }

  /** From now on the cell's code ends where it next awaits or computes with tensors. */
  interrupt(): void {
    this.#interrupted = true;
    this.#reject(new InterruptedError());
  }

  /** Its code is gone. */
  terminated(): void {
    this.#rejectTerminated(new InterruptedError());
  }
}

/** What the code of an interrupted cell meets. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("the cell was interrupted");
  }
}

/** Before the first cell. */
const NONE = new Execution(0, false, false);

let current = NONE;
/** The latest that were interrupted, by number: their code may still be about to go on. */
const interrupted = new Map<number, Execution>();
const REMEMBERED = 1000;

/**
 * The execution that output belongs to: the running one, or the latest, whose timers may still fire. (Node could follow each
 * callback to the cell it comes from, but then nothing can end a loop that runs after an `await`: Node aborts.)
 */
export function currentExecution(): Execution {
  return current;
}

export function begin(execution: Execution): void {
  current = execution;
}

export function interrupt(execution: Execution): void {
  interrupted.set(execution.id, execution);
  if (interrupted.size > REMEMBERED) interrupted.delete(interrupted.keys().next().value ?? 0);
  execution.interrupt();
}

/** Ends the code of a cell that was interrupted; called after each `await` of that cell, with its number. */
export function resume<T>(value: T, execution: number): T {
  interrupted.get(execution)?.checkpoint();
  return value;
}
