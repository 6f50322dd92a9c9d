import { workerData } from "node:worker_threads";

/** Milliseconds between two looks. */
const INTERVAL = 1000;
/** Milliseconds the main thread gets to end in its own way. */
const PATIENCE = 1500;

/*
 * A thread of its own, started by lifetime.ts with the parent's process id: it looks also while a cell computes without a
 * pause. Nothing gentler than SIGKILL ends such a cell.
 */
const parent: unknown = workerData;
const looking = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(looking);
  setTimeout(() => process.kill(process.pid, "SIGKILL"), PATIENCE);
}, INTERVAL);
