import { MultiBar, type SingleBar } from "cli-progress";
import type { PipelineEvent, PlannedNotebook } from "../pipeline/index.js";
import { duration } from "../present/format.js";

/** Shows a run while it goes on. */
export interface Progress {
  report: (event: PipelineEvent) => void;
  stop: () => void;
}

/** Bars on a terminal, one for the run and one for each notebook that runs now; plain lines where nobody watches, as in CI. */
export function openProgress(planned: readonly PlannedNotebook[], stream = process.stderr): Progress {
  return stream.isTTY && !process.env["CI"] ? new Bars(planned, stream) : new LinesProgress(stream);
}

/** A line for every notebook and cell. */
export class LinesProgress implements Progress {
  constructor(private readonly stream: NodeJS.WritableStream) {}

  report(event: PipelineEvent): void {
    const line = describe(event) ?? describeCell(event);
    if (line !== undefined) this.stream.write(`${line}\n`);
  }

  stop(): void {
    // Every line is complete when it is written.
  }
}

/**
 * The first bar is the share of all cells and notebooks that is done, by how long they took last time or their weight in
 * the graph; below it every running notebook has one by its cells.
 */
class Bars implements Progress {
  private readonly bars: MultiBar;
  private readonly whole: SingleBar;
  private readonly clock: NodeJS.Timeout;
  private readonly start = Date.now();
  /** Expected seconds by notebook, and the part of each that is done, 0 to 1. */
  private readonly expected: ReadonlyMap<string, number>;
  private readonly done = new Map<string, number>();
  private readonly running = new Map<string, { bar: SingleBar; since: number; what: string }>();
  private ended = 0;
  /** Share of the whole that was up to date and took no time: it says nothing about the speed. */
  private skipped = 0;

  constructor(planned: readonly PlannedNotebook[], stream: NodeJS.WriteStream) {
    const secondsPerWeight = 20; // before anything was measured; only ratios matter once the first cells are done
    this.expected = new Map(
      planned.map(({ notebook, lastSeconds }) => [
        notebook.name,
        lastSeconds ?? notebook.weight * secondsPerWeight,
      ]),
    );
    this.bars = new MultiBar({
      stream,
      format: "[{bar}] {percentage}%  {what}  {time}",
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      emptyOnZero: true,
      autopadding: true,
    });
    this.whole = this.bars.create(1000, 0, { what: "", time: "" });
    this.clock = setInterval(() => this.draw(), 1000);
    this.clock.unref();
  }

  report(event: PipelineEvent): void {
    if (event.type === "notebook-started") {
      const { name } = event.notebook;
      const what = `${name}  starting the kernel`;
      const bar = this.bars.create(1000, 0, { what, time: "" });
      this.running.set(name, { bar, since: Date.now(), what });
    }
    if (event.type === "runner") {
      const { name } = event.notebook;
      const { event: inner } = event;
      const one = this.running.get(name);
      if (inner.type === "cell-started" && one) {
        one.what = `${name}  cell ${inner.codeIndex}/${inner.codeTotal}  ${inner.description.slice(0, 40)}`;
      }
      if (inner.type === "cell-finished") this.done.set(name, inner.codeIndex / inner.codeTotal);
    }
    if (event.type === "notebook-ended") {
      const { name } = event.notebook;
      const one = this.running.get(name);
      if (one) this.bars.remove(one.bar);
      this.running.delete(name);
      this.done.set(name, 1);
      this.ended++;
      if (event.result.result !== "ran") this.skipped += this.expected.get(name) ?? 0;
    }
    const line = event.type === "notebook-started" ? undefined : describe(event);
    if (line !== undefined) this.bars.log(`${line}\n`);
    this.draw();
  }

  stop(): void {
    clearInterval(this.clock);
    this.bars.update(); // what was logged last
    this.bars.stop();
  }

  private draw(): void {
    let all = 0;
    let done = 0;
    for (const [name, seconds] of this.expected) {
      all += seconds;
      done += seconds * (this.done.get(name) ?? 0);
    }
    const now = Date.now();
    const worked = done - this.skipped;
    const left = worked > 0 ? `about ${duration(((now - this.start) / worked) * (all - done))} left` : "";
    this.whole.update(Math.round((1000 * done) / Math.max(all, 1e-9)), {
      what: `${this.ended} of ${this.expected.size} notebooks`,
      time: done < all ? left : "",
    });
    for (const [name, { bar, since, what }] of this.running) {
      const share = Math.round(1000 * (this.done.get(name) ?? 0));
      bar.update(share, { what, time: duration(now - since) });
    }
  }
}

function describe(event: PipelineEvent): string | undefined {
  switch (event.type) {
    case "warning":
      return `warning: ${event.message}`;
    case "notebook-started":
      return `${event.notebook.name}: running (${event.reasons.join("; ")})`;
    case "notebook-ended": {
      const { notebook, result } = event;
      if (result.result === "ran") return `${notebook.name}: done in ${duration(result.seconds * 1000)}`;
      if (result.result === "failed") return `${notebook.name}: failed: ${result.message}`;
      if (result.result === "not run") return `${notebook.name}: not run: ${result.because}`;
      return `${notebook.name}: up to date`;
    }
    case "runner":
      return event.event.type === "warning" ? `${event.notebook.name}: ${event.event.message}` : undefined;
  }
}

function describeCell(event: PipelineEvent): string | undefined {
  if (event.type !== "runner" || event.event.type !== "cell-finished") return undefined;
  const { codeIndex, codeTotal, seconds, description } = event.event;
  return `${event.notebook.name}: cell ${codeIndex}/${codeTotal}, ${duration(seconds * 1000)}: ${description}`;
}
