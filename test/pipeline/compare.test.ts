import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { diffText } from "../../src/cli/diff-text.js";
import { compareRuns } from "../../src/pipeline/index.js";
import { temporaryFolder } from "./helpers.js";

/** A run's folder with one notebook, its parameters and some data. */
function run(data: Record<string, string>, { profile = "lab", seed = 1, backend = "wasm" } = {}): string {
  const folder = temporaryFolder();
  const notebook = {
    name: "1",
    outputs: {},
    parameters: { seed: { value: seed, source: "profile" } },
    madeBy: { backend },
  };
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ profile, notebooks: [notebook] }));
  for (const [path, text] of Object.entries(data)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const table = "tables/t.csv";

describe("two runs", () => {
  it("are equal within a tolerance that is the larger of an absolute and a relative one", () => {
    const a = run({ [table]: "name,x\none,1\ntwo,0\n" });
    const b = run({ [table]: "name,x\none,1.000001\ntwo,1e-9\n" });
    expect(compareRuns(a, b)).toMatchObject({ equal: true, files: 1, values: 4, data: [] });
    expect(compareRuns(a, b, { rtol: 0, atol: 0 }).data[0]?.moved).toEqual([
      { row: "one", column: "x", a: "1", b: "1.000001", relative: expect.closeTo(1e-6, 9) as number },
      { row: "two", column: "x", a: "0", b: "1e-9", relative: 1 },
    ]);
  });

  it("cannot be compared where a file is no table of values any more, which is said in a line", () => {
    const a = run({ [table]: "name,x\none,1\n" });
    const b = run({ [table]: '{"name": 1}' });
    expect(() => compareRuns(a, b)).toThrow(`${join(b, table)} is no CSV (Invalid Opening Quote`);
  });

  it("have their rows matched by name, wherever they stand, and others named as added or missing", () => {
    const a = run({ [table]: "name,x\none,1\ntwo,2\n" });
    const b = run({ [table]: "name,x\nnew,9\ntwo,2\n" });
    expect(compareRuns(a, b).data).toMatchObject([{ moved: [], added: ["new"], missing: ["one"] }]);
  });

  it("have rows of numbers matched by the whole numbers that tell them apart", () => {
    const figure = "figures/f.csv";
    const a = run({ [figure]: "layer,y\n0,0.5\n1,0.6\n" });
    const b = run({ [figure]: "layer,y\n1,0.7\n0,0.5\n" });
    expect(compareRuns(a, b).data[0]?.moved).toMatchObject([{ row: "layer 1", column: "y", a: "0.6" }]);
  });

  it("differ in text, in columns and in files", () => {
    const a = run({ [table]: "name,x,tokens\none,1,a\n", "tables/a.csv": "x\n1\n" });
    const b = run({ [table]: "name,y,tokens\none,1,b\n", "figures/b.csv": "x\n1\n" });
    const difference = compareRuns(a, b);
    expect(difference).toMatchObject({
      equal: false,
      onlyA: ["tables/a.csv"],
      onlyB: ["figures/b.csv"],
      data: [{ addedColumns: ["y"], missingColumns: ["x"] }],
    });
  });

  it("are told apart in words: what moved and by how much, profiles, parameters, environment", () => {
    const a = run({ [table]: "name,x\none,1\n" });
    const b = run({ [table]: "name,x\none,1.25\n" }, { profile: "gpt2", seed: 2, backend: "cuda" });
    expect(diffText(compareRuns(a, b)).split("\n")).toEqual([
      "different profiles: lab (A) and gpt2 (B); most values will differ",
      "",
      "tables/t.csv",
      "  one: x: 1 -> 1.25 (20.0 %)",
      "",
      "different parameters",
      "  seed: 1 -> 2  (1)",
      "",
      "different environments",
      "  backend: wasm -> cuda  (1)",
      "",
      "different: 1 of 2 values moved beyond rtol 0.00001, atol 1e-8, in 1 of 1 tables and figures",
    ]);
  });

  it("take not-a-number for itself and for nothing else", () => {
    const a = run({ [table]: "name,x\none,NaN\n" });
    expect(compareRuns(a, run({ [table]: "name,x\none,NaN\n" })).equal).toBe(true);
    expect(compareRuns(a, run({ [table]: "name,x\none,1\n" })).equal).toBe(false);
  });
});
