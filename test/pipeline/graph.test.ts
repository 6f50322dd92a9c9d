import { copyFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadGraph, selectNotebooks, upstreamOf } from "../../src/pipeline/graph.js";
import { Series } from "./helpers.js";

function graph(change: (text: string) => string = (text) => text): ReturnType<typeof loadGraph> {
  const series = new Series();
  series.edit("pipeline.yaml", change);
  return loadGraph(series.file("pipeline.yaml"));
}

describe("the graph of a series", () => {
  it("puts every notebook after those whose artifacts it reads, whatever order they are written in", () => {
    expect(graph().notebooks.map(({ name }) => name)).toEqual(["1-first", "2-middle", "3-last", "X-aside"]);
  });

  it("knows whose artifacts a notebook reads", () => {
    const series = graph();
    const last = series.notebooks.find(({ name }) => name === "3-last");
    expect(last && upstreamOf(series, last).map(({ name }) => name)).toEqual(["1-first", "2-middle"]);
  });

  it("finds notebooks by the beginning of their name", () => {
    expect(selectNotebooks(graph(), ["3", "1-first"]).map(({ name }) => name)).toEqual(["1-first", "3-last"]);
  });

  it("lists the notebooks when a name is unknown", () => {
    expect(() => selectNotebooks(graph(), ["9.9"])).toThrow(
      "unknown notebook: 9.9 (expected one of 1-first, 2-middle, 3-last, X-aside)",
    );
  });

  it("asks which one is meant when a beginning fits several", () => {
    const series = new Series();
    copyFileSync(series.file("X-aside.ipynb"), series.file("1-second.ipynb"));
    series.edit("pipeline.yaml", (text) => `${text}  1-second:\n    title: Another\n`);
    const loaded = loadGraph(series.file("pipeline.yaml"));
    expect(() => selectNotebooks(loaded, ["1-"])).toThrow("1- could be any of 1-first, 1-second: say which");
  });

  it("says which notebook has no file", () => {
    expect(() => graph((text) => `${text}  4-lost:\n    title: Lost\n`)).toThrow(
      /names the notebook 4-lost, but there is no .*4-lost\.ipynb/,
    );
  });

  it.each([
    [
      "an artifact that nobody makes",
      (text: string) => text.replace("[sum.json]", "[]"),
      "3-last needs sum.json, which no notebook makes",
    ],
    [
      "two makers of one artifact",
      (text: string) => `${text}    makes: [sum.json]\n`,
      "both 2-middle and X-aside make sum.json",
    ],
    [
      "a circle",
      (text: string) => text.replace("makes: [numbers.json]", "makes: [numbers.json]\n    needs: [sum.json]"),
      "in a circle: 1-first -> 2-middle -> 1-first",
    ],
    [
      "a misspelt key",
      (text: string) => text.replace("weight:", "wieght:"),
      "1-first: unknown key wieght (expected title, needs, makes, weight)",
    ],
    [
      "a weight of nothing",
      (text: string) => text.replace("weight: 2", "weight: 0"),
      "weight is 0, expected a number above 0",
    ],
    [
      "a need that is not a file name",
      (text: string) => text.replace("needs: [numbers.json]", "needs: [../x]"),
      "expected a list of file names",
    ],
    ["what is not YAML", () => "notebooks: [", "is not YAML"],
  ])("refuses %s in one line that names it", (_, change, message) => {
    expect(() => graph(change)).toThrow(message);
    try {
      graph(change);
    } catch (error) {
      expect(String((error as Error).message)).not.toContain("\n");
    }
  });
});
