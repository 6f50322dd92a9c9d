import type { NotebookResult } from "../pipeline/index.js";
import { duration } from "../present/format.js";
import { columns } from "@alignscope/base/columns";
import type { StopSignal } from "./signals.js";

/** A run in a table: each notebook's result, time, cells and, where it did not run through, the reason. */
export function runSummary(results: ReadonlyMap<string, NotebookResult>): string {
  const list = [...results];
  if (list.every(([, { result }]) => result === "up to date")) {
    return `\nNothing to do: ${list.length === 1 ? "the notebook is" : `all ${list.length} notebooks are`} up to date.`;
  }
  const rows = list.map(([name, result]) => {
    switch (result.result) {
      case "ran":
        return [name, "ran", duration(result.seconds * 1000), String(result.cells), ""];
      case "failed":
        return [
          ...[name, "FAILED", duration(result.seconds * 1000), String(result.cells)],
          result.reason === "other" || result.interrupted
            ? result.message
            : `${result.reason}: ${result.message}`,
        ];
      case "not run":
        return [name, "not run", "", "", result.because];
      case "up to date":
        return [name, "up to date", "", "", ""];
    }
  });
  return `\n${columns([["notebook", "result", "time", "cells", "reason"], ...rows])}`;
}

/**
 * The exit code of a run, that of its worst notebook: 130 or 143 when a signal ended it, 138 when a kernel died (as
 * papermill has it), 1 when a notebook failed otherwise or could not run, else 0.
 */
export function exitCodeOf(results: readonly NotebookResult[], signal?: StopSignal): number {
  const failed = results.flatMap((result) => (result.result === "failed" ? result : []));
  if (failed.some(({ interrupted }) => interrupted) || (signal && results.some(isMissing))) {
    return signal === "SIGTERM" ? 143 : 130;
  }
  if (failed.some(({ reason }) => reason === "kernel died")) return 138;
  return results.some(isMissing) ? 1 : 0;
}

function isMissing({ result }: NotebookResult): boolean {
  return result === "failed" || result === "not run";
}
