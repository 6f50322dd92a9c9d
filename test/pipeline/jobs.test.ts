import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { plan, reproduce, type ReproduceOptions, runNotebook } from "../../src/pipeline/index.js";
import { pretendToRun, Series } from "./helpers.js";

vi.mock(import("../../src/pipeline/provenance.js"), async (original) => ({
  ...(await original()),
  environment: () => Promise.resolve({ library: "l", packages: "p", kernel: "k" }),
}));

/** Runs with three jobs; gives how many of the two notebooks with a backend ran at one time. */
async function mostAtATime(series: Series, backend: string): Promise<number> {
  const { execute } = pretendToRun();
  let running = 0;
  let most = 0;
  const counting: ReproduceOptions["execute"] = async (...args) => {
    if (!/1-first|X-aside/.test(String(args[0]))) return execute(...args);
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running--;
    return execute(...args);
  };
  for (const name of ["1-first.ipynb", "X-aside.ipynb"]) {
    const cell = {
      cell_type: "code",
      execution_count: null,
      id: "backend",
      metadata: { tags: ["parameters"] },
      outputs: [],
      source: 'const backend: string = "cpu"; const outputs: string = ""; const count: number = 1;',
    };
    series.edit(name, (text) => {
      const notebook = JSON.parse(text) as { cells: unknown[] };
      return JSON.stringify({ ...notebook, cells: [cell, ...notebook.cells] });
    });
  }
  await reproduce(await series.open({ parameters: { backend } }), { execute: counting, jobs: 3 });
  return most;
}

describe("notebooks side by side", () => {
  it("are one at a time on the GPU, several elsewhere", async () => {
    expect(await mostAtATime(new Series(), "webgpu")).toBe(1);
    expect(await mostAtATime(new Series(), "wasm")).toBe(2);
  });
});

describe("--from", () => {
  it("runs a notebook and all that reads, directly or not, what it makes", async () => {
    const series = new Series();
    const { execute } = pretendToRun();
    await reproduce(await series.open(), { execute });
    const again = pretendToRun();
    await reproduce(await series.open(), { execute: again.execute, from: ["2"], force: true });
    expect(again.ran.map(({ name }) => name)).toEqual(["2-middle", "3-last"]);
    const planned = await plan(await series.open(), { from: ["1"] });
    expect(planned.map(({ notebook }) => notebook.name)).toEqual(["1-first", "2-middle", "3-last"]);
  });

  it("is refused beside --only", async () => {
    const project = await new Series().open();
    await expect(plan(project, { from: ["2"], only: ["3"] })).rejects.toThrow("--only and --from");
  });
});

describe("single notebooks of a workflow", () => {
  it("leave together what a run leaves, and the run that ends it has nothing to compute", async () => {
    const series = new Series();
    const { execute } = pretendToRun();
    const project = await series.open();
    expect(await runNotebook(project, "1-first", { execute })).toMatchObject({ result: "ran" });
    await Promise.all([
      runNotebook(project, "2-middle", { execute }),
      runNotebook(project, "X-aside", { execute }),
    ]);
    await runNotebook(project, "3-last", { execute });
    const end = pretendToRun();
    const results = await reproduce(project, { execute: end.execute });
    expect([...results.values()].map(({ result }) => result)).toEqual(Array(4).fill("up to date"));
    expect(series.result("manifest.json")).toContain('"tables/sum.csv"');
    expect(series.result("tables/sum.csv")).toBe("3");
  });

  it("are kept out of a folder that a run holds, and a run out of one where they work", async () => {
    const series = new Series();
    const project = await series.open();
    const { execute } = pretendToRun();
    let refused: unknown;
    await reproduce(project, {
      only: ["1"],
      execute: async (...args) => {
        refused = await runNotebook(project, "X-aside", { execute }).catch((error: unknown) => error);
        return execute(...args);
      },
    });
    expect(String(refused)).toContain(`another run (process ${process.pid}) is writing to`);
    await runNotebook(project, "X-aside", {
      execute: async (...args) => {
        refused = await reproduce(project, { execute }).catch((error: unknown) => error);
        return execute(...args);
      },
    });
    expect(String(refused)).toContain(`another run (process ${process.pid}) is writing to`);
  });

  it("take over a lock whose process is gone, also when another has its number now", async () => {
    const series = new Series();
    const { execute } = pretendToRun();
    mkdirSync(join(series.outputs, ".locks"), { recursive: true });
    writeFileSync(join(series.outputs, ".locks", "X-aside"), `${process.ppid} 1`);
    expect(await runNotebook(await series.open(), "X", { execute })).toMatchObject({ result: "ran" });
  });
});
