import { duration } from "./format.js";
import { displayHandle, stopIfInterrupted } from "./notebook.js";

/** A long job's way to say how far it is. */
export interface Progress {
  /** `steps` more are done (default 1). */
  tick(steps?: number): void;
  /** `done` are done, of `total` if that is given now. Needs no `this`: pass it as an `onProgress` callback. */
  report: (done: number, total?: number) => void;
  /** Ends it with a last line; later calls say nothing. */
  done(note?: string): void;
}

/** What {@link progress} can be told for tests: the clock and where text goes. */
export interface ProgressOptions {
  /** milliseconds; default Date.now */
  now?: () => number;
  /** takes one line; default: standard error */
  write?: (line: string) => void;
}

/** In a notebook one display is rewritten, this often at most. */
const updateEvery = 500;
/** Elsewhere lines follow one another: the first after this long, then ever more rarely, up to a minute apart. */
const firstLineAfter = 5_000;
const slowestLines = 60_000;

/** `[██████░░░░] 60 %` */
function bar(share: number): string {
  const full = Math.floor(share * 20);
  return `[${"█".repeat(full)}${"░".repeat(20 - full)}] ${String(Math.floor(share * 100)).padStart(3)}\u00a0%`;
}

/**
 * Progress of a job of `total` steps (unknown: 0, then only counts are shown), with an estimate of the time left.
 * In a notebook it rewrites one output, and ends the job when its cell was interrupted, by an error in the next step; in a
 * terminal or a log it writes a few lines, none for a job under five seconds.
 *
 * @example
 * const generating = progress("continuations", prompts.length);
 * for (const batch of batches) { …; generating.tick(batch.length); }
 * generating.done();
 */
export function progress(label: string, total = 0, options: ProgressOptions = {}): Progress {
  const now = options.now ?? Date.now;
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const handle = displayHandle();
  const start = now();
  let last = start;
  let wait = handle ? 0 : firstLineAfter;
  let count = 0;
  let steps = total;
  let over = false;

  const say = (line: string): void => (handle ? handle({ "text/plain": line }) : write(line));

  const state = (): string => {
    const elapsed = now() - start;
    if (steps <= 0) return `${label}: ${count} done in ${duration(elapsed)}`;
    const share = Math.min(1, count / steps);
    const left = count > 0 ? `, about ${duration((elapsed * (1 - share)) / share)} left` : "";
    return `${label} ${bar(share)} ${count} of ${steps}, ${duration(elapsed)}${left}`;
  };

  const report = (done: number, newTotal?: number): void => {
    if (over) return;
    stopIfInterrupted();
    count = done;
    if (newTotal !== undefined) steps = newTotal;
    const time = now();
    if (time - last < wait) return;
    last = time;
    wait = handle ? updateEvery : Math.min(slowestLines, wait * 2);
    say(state());
  };

  return {
    report,
    tick: (more = 1) => report(count + more),
    done(note) {
      if (over) return;
      over = true;
      const elapsed = now() - start;
      if (!handle && elapsed < firstLineAfter) return;
      say(
        `${label}: ${note ?? (steps > 0 ? `${count} of ${steps}` : `${count} done`)} in ${duration(elapsed)}`,
      );
    },
  };
}
