import { SingleBar } from "cli-progress";
import { closeSync, openSync, writeSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { messageOf, UserError } from "../data/errors";
import type { Output } from "../jupyter";
import type { RunnerEvent } from "../runner";
import { LOG_LEVELS } from "./papermill-options";

export interface ReportOptions {
  progressBar: boolean;
  logOutput: boolean;
  logLevel: string;
  stdoutFile: string | undefined;
  stderrFile: string | undefined;
}

const RULE = 40;

/** Tells a person on standard error how a run goes: log lines, a bar on a terminal or a line per cell elsewhere. */
export class PapermillReport {
  readonly #options: ReportOptions;
  readonly #level: number;
  readonly #files: { stdout: number | undefined; stderr: number | undefined };
  #bar: SingleBar | undefined;
  #input = "";

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#level = LOG_LEVELS.indexOf(options.logLevel);
    this.#files = { stdout: openForWriting(options.stdoutFile), stderr: openForWriting(options.stderrFile) };
  }

  tell(event: RunnerEvent): void {
    switch (event.type) {
      case "notebook-started":
        this.#input = event.input;
        this.#log("INFO", `Input Notebook:  ${event.input}`);
        this.#log("INFO", `Output Notebook: ${event.output}`);
        this.#log("INFO", `Working directory: ${event.cwd}`);
        this.#log("INFO", `Executing notebook with kernel: ${event.kernel}`);
        return this.#startBar(event.codeTotal);
      case "cell-started":
        this.#bar?.update(event.codeIndex - 1, { what: event.description });
        if (this.#options.progressBar && !this.#bar) {
          this.#write(`Executing ${event.codeIndex}/${event.codeTotal}: ${event.description}`);
        }
        if (this.#options.logOutput) this.#log("INFO", `Executing Cell ${event.codeIndex}`.padEnd(RULE, "-"));
        return;
      case "cell-finished":
        this.#bar?.update(event.codeIndex);
        if (this.#options.logOutput) this.#log("INFO", `Ending Cell ${event.codeIndex}`.padEnd(RULE, "-"));
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

  /** Ends the bar and the files; safe to call twice. */
  close(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    for (const name of ["stdout", "stderr"] as const) {
      const file = this.#files[name];
      if (file !== undefined) closeSync(file);
      this.#files[name] = undefined;
    }
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
      const file = this.#files[output.name];
      if (file !== undefined) writeSync(file, output.text);
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

/** Opens a file that takes what the notebook prints, emptying it. */
function openForWriting(path: string | undefined): number | undefined {
  if (path === undefined) return undefined;
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new UserError(
      `${path} cannot be written: ${messageOf(error)}; name a file in a folder that exists`,
    );
  }
}
