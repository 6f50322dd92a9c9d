import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { queued } from "../../kernels/alignscope/queue-sends";

/** Like ZeroMQ's binding: takes `limit` messages a turn at once, then one that waits, and throws EBUSY meanwhile. */
class BusySocket {
  readonly sent: string[] = [];
  #left: number;
  #busy = false;

  constructor(readonly limit: number) {
    this.#left = limit;
  }

  send(frames: unknown): Promise<void> {
    if (this.#busy) throw Object.assign(new Error("Socket is busy writing"), { code: "EBUSY" });
    if (this.#left > 0) {
      this.#left--;
      this.sent.push(String(frames));
      return Promise.resolve();
    }
    this.#busy = true;
    return new Promise((resolve) =>
      setTimeout(() => {
        this.#busy = false;
        this.#left = this.limit;
        this.sent.push(String(frames));
        resolve();
      }, 2),
    );
  }
}

const send = queued(function (this: object, frames) {
  return (this as BusySocket).send(frames);
});
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => String(from + n));

it("what can be sent at once is sent at once, and what is refused follows in order", async () => {
  const socket = new BusySocket(3);
  for (const text of numbers(0, 20)) void send.call(socket, text);
  expect(socket.sent).toEqual(["0", "1", "2"]);
  await sleep(5);
  for (const text of numbers(20, 40)) void send.call(socket, text);
  for (let waited = 0; socket.sent.length < 40 && waited < 500; waited++) await sleep(5);
  expect(socket.sent).toEqual(numbers(0, 40));
});

it("one socket's queue does not hold up another", () => {
  const busy = new BusySocket(1);
  const free = new BusySocket(10);
  for (const text of numbers(0, 3)) void send.call(busy, text);
  void send.call(free, "now");
  expect(free.sent).toEqual(["now"]);
});

it("other errors are the caller's", () => {
  const closed = queued(() => {
    throw new Error("Socket is closed");
  });
  expect(() => closed.call({}, "x")).toThrow("Socket is closed");
});
