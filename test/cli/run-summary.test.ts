import { describe, expect, it } from "vitest";
import { exitCodeOf, runSummary } from "../../src/cli/run-summary.js";
import type { NotebookResult } from "../../src/pipeline/index.js";

const ran: NotebookResult = { result: "ran", seconds: 75, cells: 4 };
const failed = (reason: "cell failed" | "kernel died" | "interrupted"): NotebookResult => ({
  result: "failed",
  seconds: 3,
  cells: 2,
  kept: null,
  reason,
  message: reason === "interrupted" ? reason : "In [2] RangeError: too far",
  cell: null,
  interrupted: reason === "interrupted",
});
const notRun: NotebookResult = { result: "not run", because: "it needs 1-first" };

describe("the end of a run", () => {
  it("is a table of results, times, cells and reasons", () => {
    const text = runSummary(
      new Map([
        ["1-first", failed("cell failed")],
        ["2-middle", notRun],
        ["X", ran],
        ["Y", { result: "up to date" } as const],
      ]),
    );
    expect(text.trim().split("\n")).toEqual([
      "notebook  result      time        cells  reason",
      "1-first   FAILED      3 s         2      cell failed: In [2] RangeError: too far",
      "2-middle  not run                        it needs 1-first",
      "X         ran         1 min 15 s  4",
      "Y         up to date",
    ]);
  });

  it("has the exit code of the worst: 1 failed, 138 a dead kernel, 130 and 143 a signal", () => {
    expect(exitCodeOf([ran, { result: "up to date" }])).toBe(0);
    expect(exitCodeOf([ran, notRun])).toBe(1);
    expect(exitCodeOf([failed("cell failed"), ran])).toBe(1);
    expect(exitCodeOf([failed("cell failed"), failed("kernel died")])).toBe(138);
    expect(exitCodeOf([failed("kernel died"), failed("interrupted")], "SIGINT")).toBe(130);
    expect(exitCodeOf([failed("interrupted")], "SIGTERM")).toBe(143);
    expect(exitCodeOf([ran, { result: "not run", because: "the run was interrupted" }], "SIGTERM")).toBe(143);
    expect(exitCodeOf([ran], "SIGINT")).toBe(0);
  });
});
