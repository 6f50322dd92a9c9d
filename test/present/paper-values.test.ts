import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { paperTable, paperTables, paperValue, paperValues } from "../../src/present/paper-values.js";

describe("the published values", () => {
  it("all name a known source and place, and rows fill the columns they claim", () => {
    const folder = join(projectRoot(), "data", "paper");
    const sources = JSON.parse(readFileSync(join(folder, "sources.json"), "utf8")) as object;
    expect(paperTables().length).toBe(readdirSync(folder).length - 3);
    for (const id of paperTables()) {
      const published = paperTable(id);
      expect(published.id).toBe(id);
      expect(Object.keys(sources), id).toContain(published.source);
      expect(published.where).not.toBe("");
      const keys = published.rows.map((row) => row[published.key]);
      expect(new Set(keys).size, `${id}: unique keys`).toBe(published.rows.length);
      for (const row of published.rows) {
        for (const column of published.columns) expect(row, `${id} ${column.key}`).toHaveProperty(column.key);
      }
    }
    for (const value of paperValues()) {
      expect(Object.keys(sources), value.id).toContain(value.source);
      expect(Number.isFinite(value.value)).toBe(true);
    }
  });

  it("hold Table 2 as printed", () => {
    const rows = paperTable("table-2").rows.map((row) => [
      row["id"],
      row["toxicity"],
      row["perplexity"],
      row["f1"],
    ]);
    expect(rows).toEqual([
      ["noop", 0.453, 21.7, 0.193],
      ["w-toxic", 0.245, 23.56, 0.193],
      ["value-vector", 0.305, 23.3, 0.192],
      ["svd-u0", 0.268, 23.48, 0.193],
      ["dpo", 0.208, 23.34, 0.195],
    ]);
  });

  it("agree with themselves: Table 1 opens the ranking, Table 4 repeats Table 2", () => {
    const first = paperTable("ranking").rows.slice(0, 7);
    const vectors = paperTable("table-1").rows.filter((row) => row["layer"] !== null);
    expect(vectors.map((row) => [row["layer"], row["neuron"]])).toEqual(
      first.map((row) => [row["layer"], row["neuron"]]),
    );
    const row = (table: string, id: string): unknown[] => {
      const found = paperTable(table).rows.find((each) => each["id"] === id);
      return [found?.["toxicity"], found?.["perplexity"], found?.["f1"]];
    };
    expect(row("table-4", "gpt2")).toEqual(row("table-2", "noop"));
    expect(row("table-4", "dpo")).toEqual(row("table-2", "dpo"));
  });

  it("count thirty prompts on either side of every residual shift", () => {
    for (const row of paperTable("figure-4").rows) {
      expect(Number(row["high"]) + Number(row["low"]) + Number(row["none"]), String(row["id"])).toBe(30);
    }
  });

  it("are found by name, and an unknown name lists the known ones", () => {
    expect(paperValue("probe-validation-accuracy").value).toBe(0.94);
    expect(() => paperValue("nothing")).toThrow(
      /unknown value of the paper: nothing \(known: probe-validation-accuracy/,
    );
    expect(() => paperTable("table-99")).toThrow(/unknown table of the paper: table-99 \(known: .*table-2/);
    expect(() => paperTable("sources")).toThrow(/unknown table/);
    expect(() => paperTable("../../package")).toThrow(/unknown table/);
  });
});
