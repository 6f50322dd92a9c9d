import { SingleBar } from "cli-progress";
import { stripVTControlCharacters } from "node:util";
import type { Output } from "jupyter-wire";
import type { RunnerEvent } from "../index.js";
import { LOG_LEVELS } from "./papermill-options.js";

export interface ReportOptions {
  progressBar: boolean;
  logOutput: boolean;
  logLevel: string;
  /** Where the kernel was told to work; nothing is said of it otherwise. */
  cwd: string | undefined;
}

/** papermill's widths of a cell's number with the line after it: both lines end in the same column. */
const EXECUTING_RULE = 40;
const ENDING_RULE = 43;

/** Tells a person on standard error how a run goes: log lines, a bar on a terminal or a line per cell elsewhere. */
export class PapermillReport {
  readonly #options: ReportOptions;
  readonly #level: number;
  #bar: SingleBar | undefined;
  #input = "";

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#level = LOG_LEVELS.indexOf(options.logLevel);
  }

  tell(event: RunnerEvent): void {
    switch (event.type) {
      case "notebook-opened":
        this.#input = event.input;
        this.#log("INFO", `Input Notebook:  ${event.input}`);
        this.#log("INFO", `Output Notebook: ${event.output}`);
        return;
      case "notebook-started":
        if (this.#options.cwd !== undefined) this.#log("INFO", `Working directory: ${event.cwd}`);
        this.#log("INFO", `Executing notebook with kernel: ${event.kernel}`);
        return this.#startBar(event.codeTotal);
      case "cell-started":
        this.#bar?.update(event.codeIndex - 1, { what: event.description });
        if (this.#options.progressBar && !this.#bar) {
          this.#write(`Executing ${event.codeIndex}/${event.codeTotal}: ${event.description}`);
        }
        if (this.#options.logOutput) this.#log("INFO", rule("Executing", event.index, EXECUTING_RULE));
        return;
      case "cell-finished":
        this.#bar?.update(event.codeIndex);
        if (this.#options.logOutput) this.#log("INFO", rule("Ending", event.index, ENDING_RULE));
        return;
      case "output":
        return this.#tellOutput(event.output);
      case "warning":
        return this.#log("WARNING", event.message);
      case "kernel-ready":
      case "saved":
        return;
      case "notebook-finished":
        return this.close();
    }
  }

  /** Ends the bar; safe to call twice. */
  close(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #startBar(total: number): void {
    if (!this.#options.progressBar || !process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      stream: process.stderr,
      format: "Executing: [{bar}] {value}/{total} {duration_formatted} {what}",
      hideCursor: true,
      fps: 10,
    });
    this.#bar.start(total, 0, { what: `starting the kernel for ${this.#input}` });
  }

  #tellOutput(output: Output): void {
    if (output.output_type === "stream") {
      if (this.#options.logOutput) {
        this.#log(output.name === "stdout" ? "INFO" : "WARNING", output.text.trimEnd());
      }
    } else if (this.#options.logOutput && output.output_type !== "error") {
      const text = output.data["text/plain"];
      if (typeof text === "string") this.#log("INFO", stripVTControlCharacters(text));
    }
  }

  #log(level: string, message: string): void {
    if (LOG_LEVELS.indexOf(level) >= this.#level) this.#write(message);
  }

  #write(line: string): void {
    process.stderr.write(`${line}\n`);
  }
}

/** `Executing Cell 3-----`, by the cell's place among all cells. */
function rule(what: string, index: number, width: number): string {
  return `${what} Cell ${String(index + 1).padEnd(width, "-")}`;
}
