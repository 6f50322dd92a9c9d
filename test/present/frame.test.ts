import { parse } from "csv-parse/sync";
import { describe, expect, it, vi } from "vitest";
import { frame } from "../../src/present/frame.js";
import { jsonRows, toCsv } from "../../src/present/rows.js";

const rows = [
  { method: "noop", seed: 1, toxicity: 0.4 },
  { method: "subtract", seed: 1, toxicity: 0.1 },
  { method: "noop", seed: 2, toxicity: 0.6 },
  { method: "subtract", seed: 2, toxicity: 0.2000000000000001 },
];

describe("a frame", () => {
  it("loads danfojs without a word on the console", () => {
    const spies = (["log", "warn", "error", "info"] as const).map((name) => vi.spyOn(console, name));
    expect(frame(rows).length).toBe(4);
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled();
      spy.mockRestore();
    }
  }, 60_000);

  it("gives back what it was given, to the last digit; a missing cell is null", () => {
    expect(frame(rows).rows()).toEqual(rows);
    expect(frame([{ a: 1 }, { b: ["x"] }]).rows()).toEqual([
      { a: 1, b: null },
      { a: null, b: ["x"] },
    ]);
  });

  it("selects, sorts, filters, cuts", () => {
    const sorted = frame(rows).sortBy("toxicity", { descending: true });
    expect(sorted.column("toxicity")).toEqual([0.6, 0.4, 0.2000000000000001, 0.1]);
    expect(sorted.head(2).select("seed").rows()).toEqual([{ seed: 2 }, { seed: 1 }]);
    expect(frame(rows).where((row) => row["seed"] === 2).length).toBe(2);
  });

  it("averages by group", () => {
    const means = frame(rows).groupMean(["method"], ["toxicity"]).rows();
    expect(means.map((row) => row["method"])).toEqual(["noop", "subtract"]);
    expect(means[0]?.["toxicity"]).toBeCloseTo(0.5, 12);
    expect(means[1]?.["toxicity"]).toBeCloseTo(0.15, 12);
  });

  it("names an unknown column and the known ones", () => {
    expect(() => frame(rows).sortBy("toxcity")).toThrow(
      "unknown column: toxcity (columns: method, seed, toxicity)",
    );
  });

  it("may be empty", () => {
    const empty = frame([], ["a", "b"]);
    expect(empty.rows()).toEqual([]);
    expect(empty.sortBy("a").select("b").csv()).toBe("b\n");
    expect(empty.groupMean(["a"], ["b"]).rows()).toEqual([]);
  });
});

describe("CSV and JSON", () => {
  it("survive a round trip through a CSV reader, separators, quotes, line breaks and all", () => {
    const awkward = [
      { text: 'a, "b"\nc', value: 0.1 + 0.2, tokens: [" a,b", '"'] },
      { text: " é\r\n;", value: -2.5e-12, tokens: [] },
      { text: "", value: NaN, tokens: null },
    ];
    const read: Record<string, string>[] = parse(toCsv(awkward), { columns: true });
    expect(read.map((row) => row["text"])).toEqual(awkward.map((row) => row.text));
    expect(read.map((row) => Number(row["value"]))).toEqual([0.30000000000000004, -2.5e-12, NaN]);
    expect(JSON.parse(read[0]?.["tokens"] ?? "")).toEqual([" a,b", '"']);
    expect(read[2]?.["tokens"]).toBe("");
  });

  it("lose no number in JSON, not even those that JSON lacks", () => {
    const again: unknown = JSON.parse(
      JSON.stringify(jsonRows([{ a: NaN, b: -Infinity, c: 1 / 3 }, { a: 1 }])),
    );
    expect(again).toEqual([
      { a: "NaN", b: "-Infinity", c: 1 / 3 },
      { a: 1, b: null, c: null },
    ]);
  });
});
