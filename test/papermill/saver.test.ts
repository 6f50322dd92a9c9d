import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseNotebook, type Notebook } from "../../src/jupyter/index.js";
import { registerNotebookStore, type RunnerEvent } from "../../src/papermill/index.js";
import { Saver } from "../../src/papermill/saver.js";
import { codeCells, notebookOf } from "./notebooks.js";

/** What was written to `mem:`, and how long a write takes. */
let written: { notebook: Notebook; final: boolean }[];
let takes: number;
let failure: Error | undefined;
let pace: number;
let remove: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  written = [];
  takes = 0;
  pace = 0;
  failure = undefined;
  remove = registerNotebookStore({
    handles: (path) => path === "mem:",
    read: () => Promise.reject(new Error("not read")),
    checkWritable: () => undefined,
    get pace() {
      return pace;
    },
    write: async (_path, text, final) => {
      await new Promise((done) => setTimeout(done, takes));
      if (failure) throw failure;
      written.push({ notebook: parseNotebook(text, "mem:"), final });
    },
  });
});
afterEach(() => {
  remove();
  vi.useRealTimers();
});

function open(options: { requestSaveOnCellExecute?: boolean; autosaveCellEvery?: number } = {}) {
  const notebook = notebookOf(["0"]);
  const events: RunnerEvent[] = [];
  const saver = new Saver(notebook, "mem:", options, (event) => events.push(event));
  const change = (source: string) => {
    const [cell] = codeCells(notebook);
    if (!cell) throw new Error("no cell");
    cell.source = source;
    saver.changed(cell);
  };
  const warnings = () => events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  return { saver, change, warnings };
}

const sources = () => written.map(({ notebook }) => notebook.cells[0]?.source);

describe("the notebook on disk", () => {
  it("is there before the first cell runs, and after every cell in its newest state", async () => {
    const { saver, change } = open();
    const first = saver.saveFirst();
    await vi.runAllTimersAsync();
    await first;
    change("1 ended");
    saver.save();
    change("2 began");
    saver.save();
    await vi.runAllTimersAsync();
    expect(sources()).toEqual(["0", "2 began"]);
  });

  it("skips states that were over while an earlier one was still being written, but never the last", async () => {
    takes = 100;
    const { saver, change } = open();
    for (let n = 1; n <= 50; n++) {
      change(`${n}`);
      saver.save();
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.runAllTimersAsync();
    expect(written.length).toBeLessThan(8);
    expect(sources().at(-1)).toBe("50");
    change("end");
    const final = saver.saveFinal();
    await vi.runAllTimersAsync();
    await final;
    expect(sources().at(-1)).toBe("end");
    expect(written.map((each) => each.final)).toEqual([...Array(written.length - 1).fill(false), true]);
  });

  it("is written at the end only, when asked so", async () => {
    const { saver } = open({ requestSaveOnCellExecute: false, autosaveCellEvery: 1 });
    await saver.saveFirst();
    saver.save();
    vi.setSystemTime(Date.now() + 60_000);
    saver.outputArrived();
    await vi.runAllTimersAsync();
    expect(written).toEqual([]);
    await Promise.all([saver.saveFinal(), vi.runAllTimersAsync()]);
    expect(written).toHaveLength(1);
  });

  it("that cannot be written any more ends the run at the next cell", async () => {
    const { saver } = open();
    failure = new Error("the disk is full");
    saver.save();
    await vi.runAllTimersAsync();
    expect(() => saver.save()).toThrow("the disk is full");
  });

  it("far away is written now and then, and at the end", async () => {
    pace = 5000;
    const { saver } = open();
    for (let second = 0; second < 12; second++) {
      saver.save();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(written).toHaveLength(3);
    await Promise.all([saver.saveFinal(), vi.runAllTimersAsync()]);
    expect(written).toHaveLength(4);
  });
});

describe("the notebook on disk, while short cells follow each other", () => {
  beforeEach(() => (pace = 100));

  it("is written now and then rather than twice a cell, and is never older than the pace", async () => {
    const { saver, change } = open();
    await Promise.all([saver.saveFirst(), vi.runAllTimersAsync()]);
    for (let n = 1; n <= 100; n++) {
      change(`${n}`);
      saver.save();
      await vi.advanceTimersByTimeAsync(10);
      expect(n - Number(sources().at(-1))).toBeLessThanOrEqual(11);
    }
    expect(written.length).toBeGreaterThanOrEqual(9);
    expect(written.length).toBeLessThanOrEqual(12);
  });

  it("shows a cell that goes on for long as the running one, though nothing is said any more", async () => {
    const { saver, change } = open();
    await Promise.all([saver.saveFirst(), vi.runAllTimersAsync()]);
    change("ended");
    saver.save();
    change("the next one began");
    saver.save();
    await vi.advanceTimersByTimeAsync(110);
    expect(sources()).toEqual(["0", "the next one began"]);
  });

  it("does not keep the end of the run waiting", async () => {
    pace = 60_000;
    const { saver, change } = open();
    await Promise.all([saver.saveFirst(), vi.runAllTimersAsync()]);
    change("end");
    saver.save();
    await vi.advanceTimersByTimeAsync(1);
    const final = saver.saveFinal();
    await vi.advanceTimersByTimeAsync(1);
    await final;
    expect(written.map((each) => each.final)).toEqual([false, true]);
    expect(sources().at(-1)).toBe("end");
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("saving while a cell runs", () => {
  it("happens as often as asked, and only when output came", async () => {
    const { saver } = open({ autosaveCellEvery: 2 });
    await Promise.all([saver.saveFirst(), vi.runAllTimersAsync()]);
    for (let tick = 0; tick < 100; tick++) {
      await vi.advanceTimersByTimeAsync(100);
      saver.outputArrived();
    }
    await vi.runAllTimersAsync();
    expect(written.length).toBeGreaterThanOrEqual(1 + 4);
    expect(written.length).toBeLessThanOrEqual(1 + 5);
    const before = written.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(written).toHaveLength(before);
  });

  it("becomes rarer when it takes more than a quarter of the time between", async () => {
    const { saver, warnings } = open({ autosaveCellEvery: 1 });
    takes = 300;
    vi.setSystemTime(Date.now() + 1000);
    saver.outputArrived();
    await vi.runAllTimersAsync();
    expect(warnings()).toEqual(["saving while a cell runs takes long: the next save in 2 s"]);
    await vi.advanceTimersByTimeAsync(1500);
    saver.outputArrived();
    await vi.runAllTimersAsync();
    expect(written).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1000);
    saver.outputArrived();
    await vi.runAllTimersAsync();
    expect(written).toHaveLength(2);
  });

  it("is off with 0", async () => {
    const { saver } = open({ autosaveCellEvery: 0 });
    vi.setSystemTime(Date.now() + 1e6);
    saver.outputArrived();
    await vi.runAllTimersAsync();
    expect(written).toEqual([]);
  });
});
