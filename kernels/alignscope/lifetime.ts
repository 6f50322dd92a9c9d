import { ZmqServer } from "tslab/dist/jupyter.js";

const PARENT_CHECK_MS = 1000;
/** What ZeroMQ's own thread gets to send the last answers. */
const FAREWELL_MS = 50;

/**
 * Ends this process when the one that started it is gone, also when that was killed. (Checked between the tasks of the
 * event loop, so not while a cell computes without a pause.)
 */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, PARENT_CHECK_MS).unref();
}

/** tslab closes its sockets when asked to shut down but lives on while a cell's timers or threads do. */
export function endAfterShutdown(): void {
  const close: (this: ZmqServer) => void = Object.getOwnPropertyDescriptor(ZmqServer.prototype, "close")?.value;
  ZmqServer.prototype.close = function (this: ZmqServer) {
    close.call(this);
    setTimeout(() => process.exit(0), FAREWELL_MS);
  };
}
