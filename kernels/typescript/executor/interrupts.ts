/*
 * Which execution the running code belongs to, and how it ends when that is interrupted. Compiled code calls what is here
 * wherever it awaits, loops, catches or clears up (see ../language/rewriting): so an interrupt reaches what a cell runs,
 * whoever wrote it, and nothing of other cells. Node's AsyncLocalStorage could tell the execution as well; but with it
 * Node 20 aborts when V8 terminates code that runs after an `await`.
 */

/** What the code of an interrupted cell meets. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("the cell was interrupted");
  }
}

/** What ends a cell, and a headless run with it, as a success. */
export class StoppedError extends Error {
  override readonly name = "StoppedError";
}

/** Code that runs one after the other, and what it calls. */
class Branch {
  /** Awaits in it that have not gone on. */
  pending = 0;

  constructor(
    readonly execution: Execution,
    /** Whether it clears up after an interrupt. */
    readonly clearing = false,
    readonly above?: Branch,
  ) {}

  count(by: 1 | -1): void {
    this.pending += by;
    this.above?.count(by);
  }
}

/** One run of one cell. */
export class Execution {
  readonly root = new Branch(this);
  /** What its code waits for. */
  readonly awaits = new Set<Await>();
  /** The value of its last expression. */
  value: unknown;
  /** How many of the names that the cell declares have been assigned. */
  assigned = 0;
  /** Why it wants the notebook to end here. */
  stopped: string | undefined;
  /** What it shows on the side; it ends when that is shown. */
  readonly showing: Promise<void>[] = [];
  /** From now on its code ends where it next awaits or loops. */
  interrupted = false;
  /** From now on its code does not go on where it awaits. */
  dead = false;

  constructor(
    /** The number by which the front knows it. */
    readonly id: number,
    readonly allowStdin: boolean,
    readonly silent: boolean,
  ) {}

  /**
   * Interrupts it, or looks again at what it waits for: the innermost is woken first, so that those around it see it clear
   * up. What clears up is let be.
   */
  interrupt(): void {
    this.interrupted = true;
    for (const one of this.awaits) if (one.pending === 0 && !one.outer.clearing) one.settle("woken");
  }

  kill(): void {
    this.interrupted = this.dead = true;
    this.awaits.clear();
  }
}

/** One `await`; what its operand calls runs in it. */
export class Await extends Branch {
  #state: "open" | "fulfilled" | "rejected" | "woken" = "open";
  #value: unknown;
  #goOn: ((one: this) => void) | undefined;

  constructor(
    readonly outer: Branch,
    /** Where it stands, as in a frame of a stack. */
    readonly site: string | undefined,
  ) {
    super(outer.execution, outer.clearing);
  }

  wait(operand: unknown): Promise<this> {
    const { execution } = this;
    this.outer.count(1);
    execution.awaits.add(this);
    return new Promise((resolve) => {
      this.#goOn = resolve;
      Promise.resolve(operand).then(
        (value) => this.settle("fulfilled", value),
        (error: unknown) => this.settle("rejected", error),
      );
    });
  }

  settle(state: "fulfilled" | "rejected" | "woken", value?: unknown): void {
    if (this.#state !== "open" || this.execution.dead) return;
    this.#state = state;
    this.#value = value;
    this.execution.awaits.delete(this);
    this.#goOn?.(this);
  }

  goOn(): unknown {
    this.outer.count(-1);
    enter(this.outer);
    stopIfInterrupted(this.outer);
    if (this.#state === "rejected") {
      if (this.site !== undefined) passedThrough(this.#value, this.site);
      throw this.#value;
    }
    return this.#value;
  }

  get ended(): boolean {
    return this.#state === "fulfilled" && (this.#value as IteratorResult<unknown>).done === true;
  }
}

const sites = new WeakMap<object, string[]>();

/** An error has passed through an `await`: V8, which follows promises of its own making alone, does not tell. */
function passedThrough(error: unknown, site: string): void {
  if (!(error instanceof Error)) return;
  const passed = sites.get(error);
  if (passed) passed.push(site);
  else sites.set(error, [site]);
}

/** The awaits through which an error has passed so far, the innermost first. */
export const sitesOf = (error: object): readonly string[] => sites.get(error) ?? [];

let current = new Execution(0, false, false).root;
/** What code belongs to that nobody has said anything of. */
let running = current;

/** The execution that output belongs to. */
export const currentExecution = (): Execution => current.execution;

/** From now on code belongs to that execution unless it comes from another. */
export function begin(execution: Execution): void {
  current = running = execution.root;
}

function enter(branch: Branch): void {
  current = branch;
  // Left when this step is over: a library's callback behind it is more likely the running cell's.
  if (branch.execution !== running.execution) queueMicrotask(leave);
}

function leave(): void {
  current = running;
}

function stopIfInterrupted({ execution, clearing }: Branch): void {
  if (execution.interrupted && !clearing) throw new InterruptedError();
}

/** A function that runs as a part of what calls this. */
export function bound<T extends (...given: never[]) => unknown>(work: T): T {
  if (typeof work !== "function") return work;
  const branch = current;
  const wrapped = function (this: unknown, ...given: never[]): unknown {
    const before = current;
    current = branch;
    try {
      return work.apply(this, given);
    } finally {
      current = before;
    }
  };
  return wrapped as unknown as T;
}

const NEVER = new Promise<never>(() => undefined);

/** What compiled code calls. */
export interface Interruptible {
  /** Before the operand of an `await`, which runs as a part of it. */
  begin: (site?: string) => Await;
  until: (one: Await, operand: unknown) => Promise<Await>;
  resume: (one: Await) => unknown;
  /** In loops: ends the code that calls it when its cell was interrupted. */
  halt: () => void;
  /** Begins `catch` and `finally`: what an interrupted cell does from there on is its clearing up. */
  clean: () => void;
  /** For `for await`: hands over records whose `value` is read in the loop's body. */
  each: (iterable: AsyncIterable<unknown> | Iterable<unknown>) => AsyncIterable<unknown>;
}

/** `hear` learns of an interrupt while the code computes. */
export function interruptible(hear: () => void): Interruptible {
  return {
    begin: open,
    until,
    resume: (one) => one.goOn(),
    halt: () => {
      hear();
      stopIfInterrupted(current);
    },
    clean: () => {
      const { execution, clearing } = current;
      if (execution.interrupted && !clearing) current = new Branch(execution, true, current);
    },
    each: (iterable) => ({ [Symbol.asyncIterator]: () => awaited(asyncIterator(iterable)) }),
  };
}

function open(site?: string): Await {
  const one = new Await(current, site);
  current = one;
  return one;
}

function until(one: Await, operand: unknown): Promise<Await> {
  current = one.outer;
  return one.execution.dead ? NEVER : one.wait(operand);
}

function awaited(iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
  return {
    async next() {
      const one = open();
      await until(one, iterator.next());
      if (one.ended && !one.execution.interrupted) {
        one.goOn();
        return { done: true, value: undefined };
      }
      const record = {
        get value(): unknown {
          return (one.goOn() as IteratorResult<unknown, unknown>).value;
        },
      };
      return { done: false, value: record };
    },
    return: (value?: unknown) => iterator.return?.(value) ?? Promise.resolve({ done: true, value }),
  };
}

function asyncIterator(iterable: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterator<unknown> {
  if (Symbol.asyncIterator in iterable) return iterable[Symbol.asyncIterator]();
  const iterator = iterable[Symbol.iterator]();
  return {
    async next() {
      const turn: IteratorResult<unknown, unknown> = iterator.next();
      return { done: turn.done === true, value: await turn.value };
    },
    return: (value?: unknown) => Promise.resolve(iterator.return?.(value) ?? { done: true, value }),
  };
}
