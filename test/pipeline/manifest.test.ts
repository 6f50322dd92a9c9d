import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import { type Manifest, reproduce, type ReproduceOptions } from "../../src/pipeline/index.js";
import { STUDY_MIME } from "../../src/present/notebook.js";
import { DeadKernelError } from "../../src/papermill/index.js";
import { pretendToRun, Series } from "./helpers.js";

vi.mock(import("../../src/pipeline/provenance.js"), async (original) => ({
  ...(await original()),
  environment: () => Promise.resolve({ library: "l", packages: "p", kernel: "k" }),
}));

const { execute } = pretendToRun();

/** As {@link execute}, in a kernel that is this very process, by a notebook that opens a GPU. */
const onGpu: ReproduceOptions["execute"] = async (input, output, options) => {
  options?.onEvent?.({
    type: "kernel-ready",
    kernel: "alignscope",
    seconds: 1,
    pid: process.pid,
    implementation: "alignscope 9.9",
  });
  const notebook = await execute(input, output, options);
  const backend = { backend: "cuda", device: "Big GPU", driver: "NVIDIA 550", blas: null, threads: 4 };
  const data = { [STUDY_MIME]: { model: { name: "lab", sha256: "abc" }, backend }, "text/plain": "opened" };
  const cell = notebook.cells.find(({ cell_type }) => cell_type === "code");
  if (cell?.cell_type === "code") cell.outputs = [{ output_type: "display_data", data, metadata: {} }];
  return notebook;
};

function manifestOf(series: Series): Manifest {
  return JSON.parse(series.result("manifest.json")) as Manifest;
}

describe("the manifest of a run", () => {
  it("says what computed each notebook: kernel, backend, device, driver, model, commit, most memory", async () => {
    const series = new Series();
    await reproduce(await series.open(), { execute: onGpu, only: ["1"] });
    const [first] = manifestOf(series).notebooks;
    expect(first?.madeBy).toMatchObject({
      kernel: "alignscope 9.9",
      node: process.version,
      backend: "cuda",
      device: "Big GPU",
      driver: "NVIDIA 550",
      blas: null,
      threads: 4,
      model: { name: "lab", sha256: "abc" },
    });
    // Of the process that runs this test: Node.js with a compiler in it.
    if (existsSync("/proc/self/status")) expect(first?.madeBy?.peakBytes).toBeGreaterThan(3e7);
    expect(Object.keys(first?.madeBy?.git ?? {})).toEqual(["commit", "dirty"]);
  });

  it("bears its format and the lockfile's own checksum", async () => {
    const series = new Series();
    await reproduce(await series.open(), { execute, only: ["X"] });
    const { format, lockfile } = manifestOf(series);
    expect(format).toBe(2);
    expect(lockfile).toBe(sha256Of(readFileSync(join(import.meta.dirname, "../../package-lock.json"))));
  });

  it("says how each notebook ended: run through, by a dead kernel, without its artifact", async () => {
    const series = new Series();
    const dies: ReproduceOptions["execute"] = (input, output, options) => {
      if (String(input).includes("2-middle")) {
        const failure = { cellIndex: 1, executionCount: null, source: "", ename: "DeadKernelError" };
        return Promise.reject(new DeadKernelError({ ...failure, evalue: "signal SIGKILL", traceback: [] }));
      }
      return execute(input, output, options);
    };
    series.edit("pipeline.yaml", (text) => `${text}    makes: [answer.json]\n`);
    await reproduce(await series.open(), { execute: dies });
    expect(manifestOf(series).notebooks.map(({ name, exit }) => [name, exit])).toEqual([
      ["1-first", "completed"],
      ["2-middle", "kernel died"],
      ["3-last", undefined],
      ["X-aside", "artifact missing"],
    ]);
  });

  it("is written anew when it does not speak of the results that are there", async () => {
    const series = new Series();
    await reproduce(await series.open(), { execute });
    const results = manifestOf(series).notebooks.map(({ outputs }) => outputs);
    writeFileSync(join(series.outputs, "manifest.json"), "{");
    await reproduce(await series.open(), { execute });
    expect(manifestOf(series).notebooks.map(({ outputs }) => outputs)).toEqual(results);
  });
});

describe("a run that was killed while it moved results to their places", () => {
  it("is brought to its end by the next, which does not compute them again", async () => {
    const series = new Series();
    await reproduce(await series.open(), { execute });
    const whole = series.result("artifacts/numbers.json");
    // As it is left when it is killed after the first of two files was moved.
    const stage = join(series.outputs, ".staging", "1-first");
    mkdirSync(join(stage, "artifacts"), { recursive: true });
    const memory = join(series.outputs, ".state", "1-first.json");
    renameSync(memory, join(stage, ".commit.json"));
    renameSync(join(series.outputs, "artifacts/numbers.json"), join(stage, "artifacts/numbers.json"));
    const again = pretendToRun();
    await reproduce(await series.open(), { execute: again.execute });
    expect(again.ran).toEqual([]);
    expect(series.result("artifacts/numbers.json")).toBe(whole);
    expect(existsSync(memory)).toBe(true);
    expect(existsSync(dirname(stage))).toBe(false);
  });

  it("counts for nothing when one of the files is not as it was written", async () => {
    const series = new Series();
    await reproduce(await series.open(), { execute });
    const stage = join(series.outputs, ".staging", "1-first");
    mkdirSync(join(stage, "artifacts"), { recursive: true });
    renameSync(join(series.outputs, ".state", "1-first.json"), join(stage, ".commit.json"));
    writeFileSync(join(stage, "artifacts/numbers.json"), "[1");
    const again = pretendToRun();
    await reproduce(await series.open(), { execute: again.execute });
    expect(again.ran.map(({ name }) => name)).toEqual(["1-first"]);
    expect(series.result("artifacts/numbers.json")).toBe("[1,2,3]");
  });
});
