import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "@alignscope/base/errors";
import {
  FrameReader,
  interruptBytes,
  LIFELINE_FD,
  MESSAGE,
  messageFrame,
  STDERR,
  STDOUT,
  textOf,
  TO_EXECUTOR_FD,
  TO_FRONT_FD,
  type Frame,
  type ToExecutor,
  type ToFront,
} from "../wire/index.js";
import type { Death } from "./death.js";
import type { StreamName } from "./output.js";

/** What comes out of an executor. A promise that is returned is awaited before more is read: the executor may block then. */
export interface ExecutorListener {
  onMessage(message: ToFront): Promise<void> | undefined;
  onText(stream: StreamName, execution: number, bytes: Buffer): Promise<void> | undefined;
  /** What the process wrote to its real stdout or stderr. */
  onRaw(stream: StreamName, bytes: Buffer): Promise<void> | undefined;
  /** All that was at hand has been told. */
  onPause(): Promise<void>;
}

/** How to start one: the command, then its arguments. */
export type ExecutorCommand = readonly [string, ...string[]];

/** How much of the real stderr is kept to explain a death. */
const STDERR_KEPT = 8192;
/** Milliseconds without a byte after which a pipe that something else holds open is given up. */
const SILENCE = 500;

/** One executor process, in a process group of its own: a SIGINT to the front's group does not reach it. */
export class ExecutorProcess {
  /** Settles when it has ended and all that it said has been told. */
  readonly death: Promise<Death>;
  readonly #child: ChildProcess;
  readonly #listener: ExecutorListener;
  #stderr = "";
  #ended = false;
  #groupGone = false;
  #lastByte = 0;
  #telling = 0;
  #killedFor: string | undefined;
  #onLastUndelivered: (() => void) | undefined;

  constructor(command: ExecutorCommand, listener: ExecutorListener) {
    this.#listener = listener;
    const [file, ...args] = command;
    this.#child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    // Who writes to a process that has just ended hears of its end from `death`.
    this.#input(LIFELINE_FD)?.on("error", () => undefined);
    this.#input(TO_EXECUTOR_FD)?.on("error", (error: NodeJS.ErrnoException) => {
      // It ended with something in this pipe that it had not read.
      if (error.code === "ECONNRESET") this.#onLastUndelivered?.();
    });
    // Nothing comes this way but that error.
    this.#output(TO_EXECUTOR_FD)?.resume();
    this.death = this.#watch();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** `onUndelivered` is called when the process had ended before, and has surely not seen it. */
  send(message: ToExecutor, onUndelivered?: () => void): void {
    const input = this.#input(TO_EXECUTOR_FD);
    this.#onLastUndelivered = onUndelivered;
    if (input) input.write(messageFrame(message), (error) => error && onUndelivered?.());
    else onUndelivered?.();
  }

  /** Asks an execution to stop, over the pipe that is heard also while it computes. */
  interrupt(execution: number): void {
    if (this.#ended) return;
    this.#input(LIFELINE_FD)?.write(interruptBytes(execution));
  }

  /** Closes the pipes, which a healthy executor takes as its end; kills its group when it has not ended by then. */
  async end(patienceMs: number): Promise<void> {
    this.#input(TO_EXECUTOR_FD)?.destroy();
    this.#input(LIFELINE_FD)?.destroy();
    await Promise.race([this.death, sleep(patienceMs)]);
    this.kill();
  }

  /** Ends it and whatever it started. */
  kill(): void {
    // Its number may be another group's soon.
    if (this.#child.pid === undefined || this.#groupGone) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // The whole group is gone.
    }
  }

  async #watch(): Promise<Death> {
    const streams = [
      this.#pump(this.#output(1), (chunk) => this.#listener.onRaw("stdout", chunk)),
      this.#pump(this.#output(2), (chunk) => {
        this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
        return this.#listener.onRaw("stderr", chunk);
      }),
      this.#pumpFrames(this.#output(TO_FRONT_FD)),
      new Promise((resolve) => this.#input(TO_EXECUTOR_FD)?.once("close", resolve)),
    ];
    const exit = await new Promise<Omit<Death, "stderr">>((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", (error) =>
        resolve({ code: null, signal: null, startError: messageOf(error) }),
      );
    });
    this.#ended = true;
    // What it started would hold the pipes open, and its memory is of no use to anyone any more.
    this.kill();
    this.#groupGone = true;
    const all = Promise.all(streams).then(() => true);
    this.#lastByte = performance.now();
    while (!(await Promise.race([all, sleep(SILENCE / 5, false)]))) {
      // A client that is slow to take what was said is no silence.
      if (this.#telling === 0 && performance.now() - this.#lastByte > SILENCE) break;
    }
    for (const fd of [1, 2, TO_FRONT_FD, TO_EXECUTOR_FD]) this.#output(fd)?.destroy();
    return {
      ...exit,
      stderr: this.#stderr,
      ...(this.#killedFor === undefined ? {} : { killedFor: this.#killedFor }),
    };
  }

  async #pumpFrames(stream: Readable | undefined): Promise<void> {
    const frames = new FrameReader();
    await this.#pump(stream, async (chunk) => {
      try {
        for (const frame of frames.read(chunk)) {
          const wait = this.#tell(frame);
          if (wait) await wait;
        }
      } catch (error) {
        // Nothing after it can be understood.
        this.#killedFor ??= `its messages make no sense (${messageOf(error)}): did a cell write to file descriptor ${TO_FRONT_FD}?`;
        this.kill();
        throw error;
      }
    });
  }

  #tell(frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case MESSAGE:
        return this.#listener.onMessage(JSON.parse(frame.payload.toString("utf8")) as ToFront);
      case STDOUT:
      case STDERR: {
        const { execution, bytes } = textOf(frame);
        return this.#listener.onText(frame.kind === STDERR ? "stderr" : "stdout", execution, bytes);
      }
      default:
        throw new Error(`a frame of kind ${String(frame.kind)}`);
    }
  }

  /** Reads no more than what the listener takes. */
  async #pump(
    stream: Readable | undefined,
    tell: (chunk: Buffer) => Promise<void> | undefined,
  ): Promise<void> {
    if (!stream) return;
    try {
      for await (const chunk of stream) {
        this.#lastByte = performance.now();
        this.#telling++;
        try {
          await tell(chunk as Buffer);
          await this.#listener.onPause();
        } finally {
          this.#telling--;
        }
      }
    } catch (error) {
      if (!this.#ended) process.stderr.write(`reading from the executor: ${messageOf(error)}\n`);
    }
  }

  #input(fd: number): Writable | undefined {
    return (this.#child.stdio[fd] as Writable | null | undefined) ?? undefined;
  }

  #output(fd: number): Readable | undefined {
    return (this.#child.stdio[fd] as Readable | null | undefined) ?? undefined;
  }
}
