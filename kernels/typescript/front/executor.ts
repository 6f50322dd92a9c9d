import type { CellError, ToExecutor, ToFront } from "../wire/index.js";
import { deathAtWork, describeDeath, neverReady, type Death } from "./death.js";
import { ExecutorProcess, type ExecutorCommand, type ExecutorListener } from "./executor-process.js";

type Asked = Extract<ToExecutor, { type: "execute" | "ping" }>;
type Answer = Extract<ToFront, { type: "executed" | "pong" }>;
interface Answers {
  execute: Extract<ToFront, { type: "executed" }>;
  ping: Extract<ToFront, { type: "pong" }>;
}

/** Why a request was not answered by the executor, in the form in which cells fail. */
export class NotAnswered extends Error {
  override readonly name = "NotAnswered";

  constructor(readonly reason: CellError) {
    super(reason.evalue);
  }
}

interface Pending {
  message: Asked;
  /** Sent, as far as anyone can tell. */
  delivered: boolean;
  resolve: (answer: Answer) => void;
  reject: (error: NotAnswered) => void;
}

/** Hears how a process that was ready once has ended, and its variables with it; `waits`: a cell is there for the next one. */
type OnLost = (how: string, waits: boolean) => void;

/** So many processes in a row may end before they have done anything. */
const TRIES = 3;

/** An interrupt that came before the cell was run. */
export const INTERRUPTED: CellError = {
  ename: "InterruptedError",
  evalue: "the cell was interrupted before it began",
  traceback: ["InterruptedError: the cell was interrupted before it began"],
};

/**
 * Always one executor process, or the reason why there is none. Requests are held back until it is ready: it would be
 * deaf to an interrupt before.
 */
export class Executor {
  readonly #command: ExecutorCommand;
  readonly #listener: ExecutorListener;
  readonly #onLost: OnLost;
  readonly #pending = new Map<string, Pending>();
  readonly #held: ToExecutor[] = [];
  #process!: ExecutorProcess;
  #ready = false;
  #useful = false;
  #failures = 0;
  #given: CellError | undefined;
  #closing = false;

  constructor(command: ExecutorCommand, listener: ExecutorListener, onLost: OnLost) {
    this.#command = command;
    this.#listener = listener;
    this.#onLost = onLost;
    this.#start();
  }

  /** Rejects with {@link NotAnswered}. */
  ask<T extends Asked>(message: T): Promise<Answers[T["type"]]> {
    if (this.#given) return Promise.reject(new NotAnswered(this.#given));
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        message,
        delivered: false,
        resolve: (answer) => resolve(answer as Answers[T["type"]]),
        reject,
      };
      this.#pending.set(keyOf(message), pending);
      if (this.#ready) this.#deliver(pending);
    });
  }

  /** What needs no answer. */
  tell(message: ToExecutor): void {
    if (this.#ready) this.#process.send(message);
    // Whoever asked is gone with its process.
    else if (message.type !== "input-reply" && message.type !== "import-reply" && !this.#given)
      this.#held.push(message);
  }

  /** Stops the running cell, if one runs. */
  interrupt(): void {
    for (const [key, { message, reject }] of this.#pending) {
      if (message.type !== "execute") continue;
      if (this.#ready) return this.#process.interrupt(message.execution);
      this.#pending.delete(key);
      return reject(new NotAnswered(INTERRUPTED));
    }
  }

  async end(patienceMs: number): Promise<void> {
    this.#closing = true;
    await this.#process.end(patienceMs);
  }

  kill(): void {
    this.#closing = true;
    this.#process.kill();
  }

  #start(): void {
    this.#ready = this.#useful = false;
    const process = new ExecutorProcess(this.#command, {
      onMessage: (message) => this.#hear(message),
      onText: (stream, execution, bytes) => this.#listener.onText(stream, execution, bytes),
      onRaw: (stream, bytes) => this.#listener.onRaw(stream, bytes),
      onPause: () => this.#listener.onPause(),
    });
    this.#process = process;
    void process.death.then((death) => this.#buried(death));
  }

  #hear(message: ToFront): Promise<void> | undefined {
    switch (message.type) {
      case "ready":
        this.#ready = true;
        for (const held of this.#held.splice(0)) this.#process.send(held);
        for (const waiting of this.#pending.values()) this.#deliver(waiting);
        return undefined;
      case "executed":
      case "pong": {
        const key = keyOf(message);
        const pending = this.#pending.get(key);
        this.#pending.delete(key);
        this.#useful = true;
        this.#failures = 0;
        pending?.resolve(message);
        return undefined;
      }
      default:
        return this.#listener.onMessage(message);
    }
  }

  #deliver(pending: Pending): void {
    pending.delivered = true;
    this.#process.send(pending.message, () => (pending.delivered = false));
  }

  #buried(death: Death): void {
    if (this.#closing) return;
    const atWork = [...this.#pending].filter(([, { delivered }]) => delivered);
    const cells = [...this.#pending.values()].filter(({ message }) => message.type === "execute");
    if (cells.some(({ delivered }) => delivered)) this.#failures = 0;
    else if (!this.#useful) this.#failures++;
    const waits = cells.some(({ delivered }) => !delivered);
    if (this.#ready) this.#onLost(describeDeath(death), waits);
    this.#ready = false;
    if (this.#failures >= TRIES) this.#given = neverReady(death, this.#failures);
    else this.#start();
    // What the process never saw waits for the next one.
    for (const [key, { message, reject }] of this.#given ? [...this.#pending] : atWork) {
      this.#pending.delete(key);
      const work = message.type === "execute" ? "cell" : "request";
      reject(new NotAnswered(this.#given ?? deathAtWork(death, work)));
    }
  }
}

/** Executions and other requests are numbered apart. */
function keyOf(message: Asked | Answer): string {
  return "execution" in message ? `execution ${message.execution}` : `request ${message.request}`;
}
