import { join } from "node:path";
import { Worker } from "node:worker_threads";

const PARENT_CHECK_MS = 1000;
/** What ZeroMQ's own thread gets to send the last answers. */
const FAREWELL_MS = 50;

/** Room for the few objects of parent-watch.ts: a thread with Node's usual limits would take several times as much. */
const WATCH_LIMITS = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 };

/**
 * Ends this process when the one that started it is gone, also when that was killed: in good order between two tasks of
 * the event loop, else, while a cell computes without a pause, from a thread of its own (about 20 ms and 10 MB).
 */
export function endWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(1);
  }, PARENT_CHECK_MS).unref();
  const watch = new Worker(join(__dirname, "parent-watch.js"), {
    workerData: parent,
    resourceLimits: WATCH_LIMITS,
  });
  watch.on("error", (error) => process.stderr.write(`not watching for the parent's end: ${error.message}\n`));
  watch.unref();
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
