import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { figure } from "../../src/present/figure.js";
import { paperTable, paperTables } from "../../src/present/paper-values.js";
import { table } from "../../src/present/table.js";
import { lookEncoding } from "../../src/present/theme.js";

const folder = mkdtempSync(join(tmpdir(), "present-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cell = fc.oneof(
  fc.double(),
  fc.constantFrom(null, undefined, true),
  fc.string(),
  fc.array(fc.string(), { maxLength: 3 }),
);
const rows = (least = 0) =>
  fc.array(fc.record({ a: cell, b: cell, c: fc.double() }), { minLength: least, maxLength: 4 });

describe("a table", () => {
  const columns = [
    { key: "a", label: "A" },
    { key: "b", label: "B", digits: 2 },
    { key: "c", label: "C", kind: "percent" as const },
  ];

  it("of no rows has its headings in every format", () => {
    const empty = table({ name: "empty", title: "Nothing", caption: "No rows.", columns, rows: [] });
    for (const text of [empty.html(), empty.markdown(), empty.latex(), empty.text()]) {
      expect(text).toContain("Nothing");
      for (const { label } of columns) expect(text).toContain(label);
    }
    expect(empty.csv()).toBe("a,b,c\n");
    expect(empty.json().rows).toEqual([]);
    expect(empty.save(folder)).toHaveLength(5);
  });

  it("is rendered whatever its cells hold, one row for each record", () => {
    fc.assert(
      fc.property(rows(1), (some) => {
        const made = table({ name: "t", title: "T", caption: "", columns, rows: some });
        expect(made.html().match(/<tr/g)).toHaveLength(some.length + 1);
        expect(
          made
            .markdown()
            .trimEnd()
            .split("\n")
            .filter((line) => line.startsWith("|")),
        ).toHaveLength(some.length + 2);
        expect(made.latex().match(/ \\\\(?=\n)/g)?.length).toBeGreaterThanOrEqual(some.length);
        expect(made.json().rows).toHaveLength(some.length);
        JSON.stringify(made.json());
      }),
      { numRuns: 40 },
    );
  });
});

describe("a figure", () => {
  const kinds = {
    lines: {
      mark: { type: "line", point: true },
      encoding: {
        x: { field: "x", type: "quantitative" },
        y: { field: "y", type: "quantitative" },
        ...lookEncoding("model", { names: ["GPT-2", "DPO"] }),
      },
    },
    bars: {
      mark: "bar",
      encoding: {
        x: { field: "x", type: "quantitative", bin: "binned" },
        x2: { field: "to" },
        y: { field: "y", type: "quantitative", stack: null },
      },
    },
    facets: {
      facet: { field: "model", type: "nominal" },
      columns: 2,
      spec: {
        width: 90,
        height: 60,
        layer: [
          { mark: { type: "rule" }, encoding: { x: { aggregate: "max", field: "x", type: "quantitative" } } },
          {
            mark: "line",
            encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
          },
        ],
      },
    },
    ordinal: {
      mark: "bar",
      encoding: {
        x: { field: "model", type: "nominal" },
        y: { field: "y", type: "quantitative", scale: { type: "symlog" } },
      },
    },
  };

  it.each(Object.entries(kinds))(
    "of %s with no rows, one row, or numbers that are none is drawn all the same",
    async (_, spec) => {
      vi.spyOn(console, "warn").mockImplementation(() => undefined); // Vega's, about scales without data
      const row = { x: 1, to: 2, y: 0.5, model: "GPT-2" };
      const odd = [Number.NaN, Infinity, -Infinity, 0].map((y, x) => ({ ...row, x, y }));
      for (const data of [[], [row], odd]) {
        const made = figure({ name: "odd", title: "T", caption: "C", spec, data });
        const svg = await made.svg();
        expect(svg).toContain("</svg>");
        expect(svg).not.toMatch(/ (d|[xy][12]?|width|height|transform)="[^"]*(NaN|Infinity)/);
        for (const path of await made.save(folder)) expect(statSync(path).size).toBeGreaterThanOrEqual(0);
      }
      vi.restoreAllMocks();
    },
  );
});

describe("our rows beside the paper's", () => {
  it("stay as many as they were, with empty cells where the paper has none, for every published table", () => {
    for (const id of paperTables()) {
      const reference = paperTable(id);
      const value = fc.oneof(fc.double(), fc.constant(null), fc.string());
      const keys = reference.columns.map(({ key }) => key);
      const columns = keys.map((key) => ({ key, label: key, paper: true }));
      const beside = (
        rows: Record<string, number | string | null>[],
        paper = reference,
      ): Record<string, unknown>[] =>
        table({ name: "beside", title: "T", caption: "", columns, rows, paper }).frame.rows();
      expect(beside([])).toEqual([]);
      const whole = fc.record(Object.fromEntries([...keys, reference.key, "own"].map((key) => [key, value])));
      fc.assert(
        fc.property(fc.array(whole, { maxLength: 4 }), (ours) => {
          const joined = beside(ours);
          expect(joined).toHaveLength(ours.length);
          joined.forEach((row, i) => expect(row).toMatchObject(ours[i] ?? {}));
        }),
        { numRuns: 20 },
      );
    }
  });
});
