import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import {
  type Manifest,
  plan,
  type PlanOptions,
  reproduce,
  type ReproduceOptions,
} from "../../src/pipeline/index.js";
import { pretendToRun, Series } from "./helpers.js";

// What the notebooks run on stays the same here, also while somebody builds; provenance.test.ts looks at the real one.
vi.mock(import("../../src/pipeline/provenance.js"), async (original) => ({
  ...(await original()),
  environment: () => Promise.resolve({ library: "l", packages: "p", kernel: "k" }),
}));

/** Runs the series once; gives what ran, and every result in words. */
async function run(
  series: Series,
  options: ReproduceOptions & { parameters?: Record<string, string>; failing?: string[] } = {},
): Promise<{ ran: string[]; results: Record<string, string> }> {
  const { failing, parameters = {}, ...rest } = options;
  const { ran, execute } = pretendToRun(failing);
  const results = await reproduce(await series.open({ parameters }), { execute, ...rest });
  return {
    ran: ran.map(({ name }) => name),
    results: Object.fromEntries([...results].map(([name, { result }]) => [name, result])),
  };
}

async function planned(series: Series, options?: PlanOptions): Promise<string[][]> {
  const list = await plan(await series.open(), options);
  return list.map(({ notebook, action, reasons }) => [notebook.name, action, reasons.join("; ")]);
}

const all = ["1-first", "2-middle", "3-last", "X-aside"];

describe("a first run", () => {
  it("runs every notebook in order and leaves its files in place, the stage removed", async () => {
    const series = new Series();
    expect((await run(series)).ran).toEqual(all);
    expect(series.result("artifacts/numbers.json")).toBe("[1,2,3]");
    expect(series.result("tables/sum.csv")).toBe("3");
    expect(readdirSync(join(series.outputs, "notebooks"))).toEqual(all.map((name) => `${name}.ipynb`));
    expect(existsSync(join(series.outputs, ".staging"))).toBe(false);
    expect(existsSync(join(series.outputs, ".lock"))).toBe(false);
  });

  it("gives each notebook only the parameters that it declares", async () => {
    const { ran, execute } = pretendToRun();
    await reproduce(await new Series().open({ parameters: { mode: "corrected" } }), { execute });
    const names = Object.fromEntries(ran.map(({ name, parameters }) => [name, Object.keys(parameters)]));
    expect(names).toEqual({
      "1-first": ["outputs", "count", "mode"],
      "2-middle": ["outputs"],
      "3-last": ["outputs"],
      "X-aside": [],
    });
  });

  it("leaves executed notebooks that speak of the place where the files came to lie", async () => {
    const series = new Series();
    await run(series);
    expect(series.result("notebooks/1-first.ipynb")).toContain(JSON.stringify(series.outputs));
    expect(series.result("notebooks/1-first.ipynb")).not.toContain(".staging");
  });

  it("says of every number where it comes from, in the manifest", async () => {
    const series = new Series();
    await run(series, { parameters: { label: "total" } });
    const manifest = JSON.parse(series.result("manifest.json")) as Manifest;
    const [first, middle] = manifest.notebooks;
    expect(manifest).toMatchObject({ profile: "small", kernel: "alignscope", node: process.version });
    expect(first?.parameters?.["count"]).toEqual({ value: 3, source: "profile" });
    expect(middle?.parameters?.["label"]).toEqual({ value: "total", source: "command line" });
    expect(middle?.inputs?.artifacts["numbers.json"]).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(first?.outputs ?? {})).toEqual([
      "artifacts/numbers.json",
      "figures/dots-3.svg",
      "notebooks/1-first.ipynb",
    ]);
  });
});

describe("what is up to date", () => {
  it("does not run again, and leaves the manifest as it is", async () => {
    const series = new Series();
    await run(series);
    const manifest = series.result("manifest.json");
    const second = await run(series);
    expect(second.ran).toEqual([]);
    expect(Object.values(second.results)).toEqual(all.map(() => "up to date"));
    expect(series.result("manifest.json")).toBe(manifest);
  });

  it("stays so when only text cells or the folder's place change", async () => {
    const series = new Series();
    await run(series);
    series.edit("1-first.ipynb", (text) => text.replace("# The first one", "# The very first one"));
    expect((await run(series)).ran).toEqual([]);
  });

  it("stops being so with the code, and what reads an unchanged artifact does not follow", async () => {
    const series = new Series();
    await run(series);
    series.edit("1-first.ipynb", (text) => text.replace("console.log(`wrote", "console.log(`put"));
    expect(await planned(series)).toEqual([
      ["1-first", "run", "its code changed"],
      ["2-middle", "maybe", "if what it reads of 1-first changes"],
      ["3-last", "maybe", "if what it reads of 1-first, 2-middle changes"],
      ["X-aside", "skip", "up to date"],
    ]);
    expect((await run(series)).ran).toEqual(["1-first"]);
  });

  it("stops being so with a parameter, and with it everything that reads what changed", async () => {
    const series = new Series();
    await run(series);
    series.edit("profiles/small.yaml", (text) => text.replace("count: 3", "count: 4"));
    expect((await planned(series))[0]).toEqual(["1-first", "run", "parameter count changed from 3 to 4"]);
    expect((await run(series)).ran).toEqual(["1-first", "2-middle", "3-last"]);
    expect(series.result("tables/sum.csv")).toBe("4");
    expect(readdirSync(join(series.outputs, "figures"))).toEqual(["dots-4.svg"]);
  });

  it("stops being so when an output is missing or was changed by hand", async () => {
    const series = new Series();
    await run(series);
    rmSync(join(series.outputs, "tables", "sum.csv"));
    writeFileSync(join(series.outputs, "figures", "dots-3.svg"), "<svg>drawn over</svg>");
    const reasons = Object.fromEntries((await planned(series)).map(([name, , reason]) => [name, reason]));
    expect(reasons["3-last"]).toBe("its output tables/sum.csv is missing");
    expect(reasons["1-first"]).toBe("its output figures/dots-3.svg was changed by hand");
  });

  it("runs all the same when forced", async () => {
    const series = new Series();
    await run(series);
    expect((await run(series, { force: true, only: ["X"] })).ran).toEqual(["X-aside"]);
  });

  it("is decided anew when the memory of earlier runs is unreadable", async () => {
    const series = new Series();
    await run(series);
    writeFileSync(join(series.outputs, ".state", "X-aside.json"), "{");
    expect((await run(series)).ran).toEqual(["X-aside"]);
  });
});

describe("a notebook that fails", () => {
  it("stops those that need it and no others, and the next run begins with it", async () => {
    const series = new Series();
    const { ran, results } = await run(series, { failing: ["2-middle"] });
    expect(ran).toEqual(["1-first", "2-middle", "X-aside"]);
    expect(results).toEqual({
      "1-first": "ran",
      "2-middle": "failed",
      "3-last": "not run",
      "X-aside": "ran",
    });
    expect((await run(series)).ran).toEqual(["2-middle", "3-last"]);
  });

  it("never replaces what an earlier run had left, and is kept beside it for reading", async () => {
    const series = new Series();
    await run(series);
    const before = series.result("notebooks/1-first.ipynb");
    series.edit("profiles/small.yaml", (text) => text.replace("count: 3", "count: -1"));
    const { execute } = pretendToRun(["1-first"]);
    const results = await reproduce(await series.open(), { execute });
    expect(results.get("1-first")).toMatchObject({
      result: "failed",
      message: "In [2] RangeError: count is -1, expected 0 or more",
      cell: { executionCount: 2 },
      kept: join(series.outputs, "notebooks", "1-first.failed.ipynb"),
    });
    expect(series.result("artifacts/numbers.json")).toBe("[1,2,3]");
    expect(series.result("notebooks/1-first.ipynb")).toBe(before);
    expect(readdirSync(join(series.outputs, "figures"))).toEqual(["dots-3.svg"]);
  });

  it("loses its failed copy when it runs through again", async () => {
    const series = new Series();
    await run(series, { failing: ["1-first"] });
    const kept = join(series.outputs, "notebooks", "1-first.failed.ipynb");
    expect(existsSync(kept)).toBe(true);
    await run(series);
    expect(existsSync(kept)).toBe(false);
  });

  it("stands in the manifest with its error", async () => {
    const series = new Series();
    await run(series, { failing: ["1-first"] });
    const manifest = JSON.parse(readFileSync(join(series.outputs, "manifest.json"), "utf8")) as Manifest;
    expect(manifest.notebooks.map(({ result, error }) => [result, error])).toEqual([
      ["failed", "In [2] RangeError: count is -1, expected 0 or more"],
      ["not run", undefined],
      ["not run", undefined],
      ["ran", undefined],
    ]);
  });

  it("is also one that does not write what the series promises", async () => {
    const series = new Series();
    series.edit("pipeline.yaml", (text) => `${text}    makes: [answer.json]\n`);
    const { execute } = pretendToRun();
    const results = await reproduce(await series.open(), { execute });
    expect(results.get("X-aside")).toMatchObject({
      result: "failed",
      message: "X-aside ran through but did not write its artifact answer.json",
    });
  });
});

describe("running only some notebooks", () => {
  it("runs these on the artifacts that are there and leaves the others alone", async () => {
    const series = new Series();
    await run(series);
    series.edit("2-middle.ipynb", (text) => text.replace("total", "totals"));
    const warnings: string[] = [];
    const { ran } = await run(series, {
      only: ["3-last"],
      force: true,
      onEvent: (event) => event.type === "warning" && warnings.push(event.message),
    });
    expect(ran).toEqual(["3-last"]);
    expect(warnings).toEqual([
      "2-middle is out of date (its code changed); its artifacts are used as they are",
    ]);
  });

  it("says in one line which artifact is missing and which notebook makes it, before anything runs", async () => {
    const series = new Series();
    await run(series, { only: ["1-first"] });
    const { ran, execute } = pretendToRun();
    await expect(reproduce(await series.open(), { execute, only: ["3"] })).rejects.toThrow(
      `3-last needs ${series.outputs}/artifacts/sum.json, which is missing: 2-middle makes it; run 2-middle first (--only 2-middle) or leave --only out`,
    );
    expect(ran).toEqual([]);
  });

  it("runs a notebook after the chosen one that makes what it needs", async () => {
    const series = new Series();
    expect((await run(series, { only: ["2", "1"] })).ran).toEqual(["1-first", "2-middle"]);
  });
});

describe("a run among others", () => {
  it("keeps a second run out of the same folder, and takes over from one that was killed", async () => {
    const series = new Series();
    await run(series);
    const lock = join(series.outputs, ".lock");
    writeFileSync(lock, String(process.ppid));
    await expect(run(series)).rejects.toThrow(`another run (process ${process.ppid}) is writing to`);
    writeFileSync(lock, "999999999");
    expect((await run(series, { force: true })).ran).toEqual(all);
  });

  it("starts over with what a killed run left half done", async () => {
    const series = new Series();
    const { execute } = pretendToRun();
    const open = series.open();
    const killed: ReproduceOptions["execute"] = async (input, output, options) => {
      const notebook = await execute(input, output, options);
      const stage = join(series.outputs, ".staging", "1-first", "artifacts", "stray.json");
      writeFileSync(stage, "{}");
      return notebook;
    };
    await reproduce(await open, { execute: killed, only: ["1"] });
    expect(existsSync(join(series.outputs, "artifacts", "stray.json"))).toBe(true);
    await run(series, { force: true });
    expect(existsSync(join(series.outputs, "artifacts", "stray.json"))).toBe(false);
  });

  it("runs notebooks that do not need each other side by side when asked to", async () => {
    const series = new Series();
    const { execute } = pretendToRun();
    let running = 0;
    let most = 0;
    const slowly: ReproduceOptions["execute"] = async (...args) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 20));
      running--;
      return execute(...args);
    };
    const results = await reproduce(await series.open(), { execute: slowly, jobs: 3 });
    expect([...results.values()].map(({ result }) => result)).toEqual(["ran", "ran", "ran", "ran"]);
    expect(most).toBe(2);
  });

  it("starts nothing more once it is interrupted", async () => {
    const series = new Series();
    const abort = new AbortController();
    const { ran, execute } = pretendToRun();
    const results = await reproduce(await series.open(), {
      signal: abort.signal,
      execute: (...args) => {
        abort.abort();
        return execute(...args);
      },
    });
    expect(ran.map(({ name }) => name)).toEqual(["1-first"]);
    expect(results.get("2-middle")).toEqual({ result: "not run", because: "the run was interrupted" });
  });
});
