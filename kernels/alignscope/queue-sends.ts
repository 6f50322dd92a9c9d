import { createRequire } from "node:module";
import type * as ZeroMQ from "zeromq";

type Frames = Parameters<ZeroMQ.Publisher["send"]>[0];
type Send = (this: object, frames: Frames) => Promise<void>;

/** Milliseconds between two tries while ZeroMQ is busy with an earlier message. */
const BUSY_MS = 1;

/**
 * tslab sends without waiting. ZeroMQ's binding takes 512 messages in one turn of the event loop and answers EBUSY to
 * the next until the turn is over, so that what a cell prints in a burst is lost, and its closing `idle` too. Here what
 * was refused waits its turn, in order, and what can be sent at once still is: a loop's output stays live.
 */
export function queueSends(): void {
  // The very copy of the binding that tslab loads.
  const zmq = createRequire(require.resolve("tslab/dist/jupyter.js"))("zeromq") as typeof ZeroMQ;
  for (const kind of [zmq.Publisher, zmq.Router]) {
    const { send, bind } = kind.prototype as { send: Send; bind: ZeroMQ.Publisher["bind"] };
    // The binding's methods are read-only: they are shadowed, not assigned.
    Object.defineProperty(kind.prototype, "send", { value: queued(send), configurable: true });
    Object.defineProperty(kind.prototype, "bind", {
      configurable: true,
      value(this: ZeroMQ.Publisher, address: string) {
        // With a limit, a publisher drops what a slow reader has not taken.
        this.sendHighWaterMark = 0;
        return bind.call(this, address);
      },
    });
  }
}

/** A `send` that keeps what is refused with EBUSY and sends it later, before anything newer. */
export function queued(send: Send): Send {
  const waiting = new WeakMap<object, Frames[]>();
  async function drain(socket: object, frames: Frames[]): Promise<void> {
    for (let next = frames[0]; next !== undefined; next = frames[0]) {
      try {
        await send.call(socket, next);
        frames.shift();
      } catch (error) {
        if (!isBusy(error)) break; // The socket is closed: nobody will ever read this.
        await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
      }
    }
    waiting.delete(socket);
  }
  return function (this: object, frames: Frames): Promise<void> {
    const queue = waiting.get(this);
    if (queue) {
      queue.push(frames);
      return Promise.resolve();
    }
    try {
      return send.call(this, frames);
    } catch (error) {
      if (!isBusy(error)) throw error;
      const first = [frames];
      waiting.set(this, first);
      void drain(this, first);
      return Promise.resolve();
    }
  };
}

/** The binding throws it, rather than rejecting. */
function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "EBUSY";
}
