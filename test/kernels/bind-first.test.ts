import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Dealer, Router } from "zeromq";
import { boundFirst } from "../../kernels/alignscope/bind-first";
import { newConnectionInfo, socketAddress } from "../../src/jupyter";

const patient = boundFirst(Router.prototype.receive, Router.prototype.bind);

/** A socket as the kernel has it. */
class PatientRouter extends Router {
  override receive() {
    return patient.receive.call(this);
  }

  override bind(address: string) {
    return patient.bind.call(this, address);
  }
}

const open: { close(): void }[] = [];
const closeAll = (): void => open.splice(0).forEach((socket) => socket.close());
afterEach(closeAll);

/** Clients that try to connect every millisecond and have something to say. */
function impatientClient(address: string): void {
  const socket = new Dealer({ linger: 0, reconnectInterval: 1 });
  open.push(socket);
  socket.connect(address);
  void socket.send("first").then(() => socket.send("second"));
}

describe("a socket that is read before it is bound", () => {
  it("hears clients that speak while it is being bound, and goes on hearing them", async () => {
    for (let round = 0; round < 25; round += 1) {
      const info = await newConnectionInfo("test");
      const addresses = (["shell", "iopub", "stdin", "control", "hb"] as const).map((channel) =>
        socketAddress(info, channel),
      );
      addresses.forEach(impatientClient);
      await sleep(5);
      const heard = addresses.map(async (address) => {
        const socket = new PatientRouter({ linger: 0 });
        open.push(socket);
        const reading = (async () => [await socket.receive(), await socket.receive()])();
        await socket.bind(address);
        return (await reading).map(([, text]) => String(text));
      });
      expect(await Promise.all(heard)).toEqual(addresses.map(() => ["first", "second"]));
      closeAll();
    }
  });

  it("is read while a bind is not yet over only after it, and whatever became of it", async () => {
    const calls: string[] = [];
    let settle: (() => void) | undefined;
    const failing = boundFirst(
      () => (calls.push("receive"), Promise.resolve([])),
      () => new Promise((_, reject) => (settle = () => reject(new Error("address in use")))),
    );
    const socket = {};
    const reading = failing.receive.call(socket);
    const binding = failing.bind.call(socket, "tcp://127.0.0.1:1");
    await sleep(10);
    expect(calls).toEqual([]);
    settle?.();
    await expect(binding).rejects.toThrow("address in use");
    await reading;
    expect(calls).toEqual(["receive"]);
  });
});
