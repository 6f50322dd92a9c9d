import { createRequire } from "node:module";
import type * as ZeroMQ from "zeromq";

type Receive = (this: object) => Promise<Buffer[]>;
type Bind = (this: object, address: string) => Promise<void>;

/**
 * tslab reads its sockets while they are still being bound. The binding refuses that with EBUSY when a client is quick
 * enough to be heard before its `bind()` has returned; tslab's loop ends then, and the kernel answers nothing for ever.
 * Here whoever reads a socket that is being bound waits until it is.
 */
export function readOnceBound(): void {
  // The very copy of the binding that tslab loads.
  const zmq = createRequire(require.resolve("tslab/dist/jupyter.js"))("zeromq") as typeof ZeroMQ;
  for (const kind of [zmq.Router, zmq.Reply]) {
    const { receive, bind } = kind.prototype as { receive: Receive; bind: Bind };
    const patient = boundFirst(receive, bind);
    // The binding's methods are read-only: they are shadowed, not assigned.
    Object.defineProperty(kind.prototype, "receive", { value: patient.receive, configurable: true });
    Object.defineProperty(kind.prototype, "bind", { value: patient.bind, configurable: true });
  }
}

/** A `receive` that waits for a `bind` of the same socket, also for one that the same turn of the event loop calls later. */
export function boundFirst(receive: Receive, bind: Bind): { receive: Receive; bind: Bind } {
  const binding = new WeakMap<object, Promise<void>>();
  return {
    async receive() {
      await Promise.resolve();
      await binding.get(this)?.catch(() => undefined); // who called bind() hears of its failure
      return receive.call(this);
    },
    bind(address) {
      const bound = bind.call(this, address);
      binding.set(this, bound);
      return bound.finally(() => binding.delete(this));
    },
  };
}
