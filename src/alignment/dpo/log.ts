import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import type { DpoMetrics } from "./metrics.js";

/**
 * A line of `log.jsonl`. A record of kind "train" tells of the step that has just been taken, with the policy before it; one
 * of kind "valid" of the held-out pairs after so many steps. Which pairs a step took follows from its epoch and the settings.
 */
export interface DpoRecord extends DpoMetrics {
  kind: "train" | "valid";
  /** Steps taken. */
  step: number;
  /** Training pairs seen. */
  examples: number;
  /** The epoch, counted from 0. */
  epoch: number;
  kl_kind: "exact" | "sampled";
  /** Norm of the gradient over all trained entries, before clipping. */
  grad_norm?: number;
  learning_rate?: number;
  /** Ids of the step's pairs. */
  pairs?: string[];
  /** The lowest validation loss so far. */
  best_loss?: number;
  /** Evaluations since the last improvement. */
  since_improved?: number;
  /** Real tokens of the step's sequences, prompts included, per second: the one field that two runs differ in. */
  tokens_per_second?: number;
}

/** A run's log, of which only lines that a checkpoint knows of are kept when the run goes on. */
export class RunLog {
  private readonly file: number;

  private constructor(
    readonly path: string,
    private count: number,
  ) {
    this.file = openSync(path, "a");
  }

  /** Opens a log cut back to its first `lines`. */
  static open(path: string, lines: number): RunLog {
    const all = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [""];
    const complete = all.length - 1;
    if (complete < lines) {
      throw new UserError(
        `${path} has ${complete} lines, the checkpoint beside it was written after ${lines}: put the log back, or start in another folder`,
      );
    }
    const kept = all.slice(0, lines).map((line) => `${line}\n`);
    if (all.slice(lines).some((rest) => rest !== "") || complete > lines)
      writeFileAtomic(path, kept.join(""));
    return new RunLog(path, lines);
  }

  get lines(): number {
    return this.count;
  }

  append(record: DpoRecord): void {
    const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
    for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done);
    this.count += 1;
  }

  /** Makes sure that what was appended outlives a crash of the machine. */
  sync(): void {
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Reads a run's log: `log.jsonl` of its folder. A line that was cut off by a crash is left out. */
export function readLog(path: string): DpoRecord[] {
  if (!existsSync(path)) throw new UserError(`no log of DPO at ${path}`);
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as DpoRecord);
}
