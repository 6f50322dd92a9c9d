import { closeSync, openSync, writeSync } from "node:fs";
import { UserError, messageOf } from "@alignscope/base/errors";
import type { RunnerEvent } from "./options.js";

/** The files that take what cells print, written as each message comes, so that one can follow them. */
export class StreamFiles {
  readonly #files: { stdout?: number; stderr?: number } = {};

  /** @throws UserError for a file that cannot be written */
  constructor({ stdoutFile, stderrFile }: { stdoutFile?: string; stderrFile?: string }) {
    if (stdoutFile !== undefined) this.#files.stdout = open(stdoutFile);
    // Both streams can go to one file.
    if (stderrFile !== undefined) {
      const shared = stderrFile === stdoutFile ? this.#files.stdout : undefined;
      this.#files.stderr = shared ?? open(stderrFile);
    }
  }

  tell(event: RunnerEvent): void {
    if (event.type !== "output" || event.output.output_type !== "stream") return;
    const file = this.#files[event.output.name];
    if (file !== undefined) writeSync(file, event.output.text);
  }

  close(): void {
    for (const file of new Set(Object.values(this.#files))) closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new UserError(
      `${path} cannot be written: ${messageOf(error)}; name a file in a folder that exists`,
    );
  }
}
