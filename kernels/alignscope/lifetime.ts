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

interface Server {
  close(): void;
}

/** tslab's server closes its sockets when asked to shut down, but the process lives on while a cell's timers or threads do. */
export function endAfterShutdown(server: { prototype: Server }): void {
  const close: unknown = Reflect.get(server.prototype, "close");
  if (typeof close !== "function") throw new Error("tslab's server has no close()");
  server.prototype.close = function (this: Server) {
    Reflect.apply(close, this, []);
    setTimeout(() => process.exit(0), FAREWELL_MS);
  };
}
