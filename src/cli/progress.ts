import { MultiBar, type SingleBar } from "cli-progress";
import type { PipelineEvent, PlannedNotebook } from "../pipeline";
import { duration } from "../present/format";

/** Shows a run while it goes on. */
export interface Progress {
  report: (event: PipelineEvent) => void;
  stop: () => void;
}

/** A bar on a terminal; plain lines where nobody watches, as in CI. */
export function openProgress(planned: readonly PlannedNotebook[], stream = process.stderr): Progress {
  return stream.isTTY && !process.env["CI"] ? new Bar(planned, stream) : new Lines(stream);
}

class Lines implements Progress {
  constructor(private readonly stream: NodeJS.WritableStream) {}

  report(event: PipelineEvent): void {
    const line = describe(event) ?? describeCell(event);
    if (line !== undefined) this.stream.write(`${line}\n`);
  }

  stop(): void {
    // Every line is complete when it is written.
  }
}

/** Cells and notebooks that are done, as a share of all, by how long they took last time or their weight in the graph. */
class Bar implements Progress {
  private readonly bars: MultiBar;
  private readonly bar: SingleBar;
  private readonly clock: NodeJS.Timeout;
  private readonly start = Date.now();
  /** Expected seconds by notebook, and the part of each that is done, 0 to 1. */
  private readonly expected: ReadonlyMap<string, number>;
  private readonly done = new Map<string, number>();
  private readonly cells = new Map<string, string>();
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
      format: "[{bar}] {percentage}%  {what}  {left}",
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      emptyOnZero: true,
      autopadding: true,
    });
    this.bar = this.bars.create(1000, 0, { what: "", left: "" });
    this.clock = setInterval(() => this.draw(), 1000);
    this.clock.unref();
  }

  report(event: PipelineEvent): void {
    if (event.type === "runner") {
      const { name } = event.notebook;
      const inner = event.event;
      if (inner.type === "notebook-started") this.cells.set(name, `${name}  starting the kernel`);
      if (inner.type === "cell-started") {
        this.cells.set(
          name,
          `${name}  cell ${inner.codeIndex}/${inner.codeTotal}  ${inner.description.slice(0, 40)}`,
        );
      }
      if (inner.type === "cell-finished") this.done.set(name, inner.codeIndex / inner.codeTotal);
    }
    if (event.type === "notebook-ended") {
      const { name } = event.notebook;
      this.cells.delete(name);
      this.done.set(name, 1);
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
    const elapsed = (Date.now() - this.start) / 1000;
    const worked = done - this.skipped;
    const left = worked > 0 ? `about ${duration((elapsed / worked) * (all - done) * 1000)} left` : "";
    this.bar.update(Math.round((1000 * done) / Math.max(all, 1e-9)), {
      what: [...this.cells.values()].join(" | "),
      left: done < all ? left : "",
    });
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
