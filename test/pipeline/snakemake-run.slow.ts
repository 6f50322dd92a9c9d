import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readState } from "../../src/pipeline/index.js";
import { filesBelow } from "../../src/pipeline/provenance.js";
import { Series } from "./helpers.js";
import { alignscope, snakemake, snakemakeIsThere, startSnakemake } from "./snakemake.js";

/** Artifacts, figures and tables of a run, with their text. */
function results(outputs: string): Record<string, string> {
  return Object.fromEntries(
    ["artifacts", "figures", "tables"]
      .flatMap((folder) => filesBelow(join(outputs, folder)))
      .map((path) => [relative(outputs, path), readFileSync(path, "utf8")]),
  );
}

function exportSeries(series: Series, ...flags: string[]): { file: string; work: string; options: string[] } {
  const work = dirname(series.folder);
  const file = join(work, "Snakefile");
  const options = ["--profile", "small", "--pipeline", series.file("pipeline.yaml")];
  const exported = alignscope(
    ...["plan", "--export", "snakemake", ...options, "--outputs", series.outputs, "--out", file, ...flags],
  );
  expect(exported).toMatchObject({ status: 0, err: "" });
  return { file, work, options };
}

function expectSameAsLocal(outputs: string, options: string[], ...parameters: string[]): void {
  const local = new Series();
  const run = alignscope("reproduce", ...options, ...parameters, "--outputs", local.outputs, "--jobs", "2");
  expect(run.status).toBe(0);
  expect(results(outputs)).toEqual(results(local.outputs));
  const verified = alignscope("verify", outputs);
  expect(verified.out).toContain("are what the manifest says");
  expect(verified.status).toBe(0);
}

/** A seed that the numbers begin with, and a backend that nothing is computed on. */
function declareSeedAndBackend(series: Series): void {
  series.edit("1-first.ipynb", (text) =>
    text
      .replace(
        "const count: number",
        'const seed: number = 1;\\nconst backend: string = \\"auto\\";\\nconst count: number',
      )
      .replace("i + 1", "i + seed"),
  );
  series.edit("2-middle.ipynb", (text) =>
    text.replace("const label: string", 'const backend: string = \\"auto\\";\\nconst label: string'),
  );
}

describe.skipIf(!snakemakeIsThere)(
  "the series run by Snakemake (needs Debian's snakemake and the build)",
  () => {
    it("leaves what a local run leaves", async () => {
      const series = new Series();
      const { file, work, options } = exportSeries(series);
      const { status, err } = await snakemake(file, work, ["--cores", "4"]);
      expect(err).toContain("6 of 6 steps (100%) done");
      expect(status).toBe(0);
      expectSameAsLocal(series.outputs, options);
    });

    it("runs a sweep over two seeds, each as a local run with that seed, and one notebook on the GPU at a time", async () => {
      const series = new Series();
      declareSeedAndBackend(series);
      const { file, work, options } = exportSeries(series, "--sweep", "seed=1,2", "--backend", "cuda");
      const { status, err } = await snakemake(file, work, ["--cores", "8", "--resources", "gpu=1"]);
      expect(err).toContain("11 of 11 steps (100%) done");
      expect(status).toBe(0);
      const spans: { from: number; to: number }[] = [];
      for (const seed of ["1", "2"]) {
        const outputs = join(series.outputs, `seed=${seed}`);
        expect(JSON.parse(readFileSync(join(outputs, "artifacts/numbers.json"), "utf8"))).toEqual(
          [0, 1, 2].map((i) => i + Number(seed)),
        );
        expectSameAsLocal(outputs, options, "-p", "seed", seed);
        const { notebooks } = readState(outputs);
        for (const name of ["1-first", "2-middle"]) {
          const { startedAt = "", seconds = 0 } = notebooks[name] ?? {};
          spans.push({ from: Date.parse(startedAt), to: Date.parse(startedAt) + 1000 * seconds });
        }
      }
      spans.sort((a, b) => a.from - b.from);
      expect(spans).toHaveLength(4);
      for (const [i, { from }] of spans.slice(1).entries())
        expect(from).toBeGreaterThanOrEqual(spans[i]?.to ?? 0);
    });

    it("runs through Slurm's sbatch as the guide says it, with what each step needs", async () => {
      const series = new Series();
      declareSeedAndBackend(series);
      const { file, work, options } = exportSeries(series, "--backend", "cuda");
      const bin = join(work, "bin");
      mkdirSync(bin);
      // Notes how it was called, runs the job script by itself as a node would, and says the job's number.
      writeFileSync(
        join(bin, "sbatch"),
        `#!/bin/sh\necho "$@" >> "${work}/submitted"\nfor script; do :; done\nsetsid sh "$script" </dev/null >>"${work}/job.log" 2>&1 &\necho $!\n`,
      );
      chmodSync(join(bin, "sbatch"), 0o755);
      const guide = readFileSync(join(import.meta.dirname, "../../docs/gpu.md"), "utf8");
      const line = /--cluster "([^"]+)"/.exec(guide)?.[1] ?? "";
      expect(line).toContain("sbatch");
      const { status, err } = await snakemake(
        file,
        work,
        ["--jobs", "20", "--default-resources", "gpu=0", "--cluster", line],
        { PATH: `${bin}:${process.env["PATH"] ?? ""}` },
      );
      const log = join(work, "job.log");
      expect(status, `${err}\n${existsSync(log) ? readFileSync(log, "utf8") : ""}`).toBe(0);
      const submitted = readFileSync(join(work, "submitted"), "utf8").trim().split("\n");
      expect(submitted).toHaveLength(5);
      // No run has told how long these take: a day.
      const asked = /^-c 2 --mem \d+ -t 1440 --gres=gpu:1 \S+$/;
      expect(submitted.filter((call) => asked.test(call))).toHaveLength(2);
      expect(submitted.filter((call) => call.includes("--gres=gpu:0"))).toHaveLength(3);
      expectSameAsLocal(series.outputs, options);
    });

    it("goes on after snakemake was killed, with --unlock and --rerun-incomplete; what was finished is kept", async () => {
      const series = new Series();
      const { file, work, options } = exportSeries(series);
      const state = (name: string) => join(series.outputs, ".state", `${name}.json`);
      const killed = startSnakemake(file, work, ["--cores", "2"]);
      // The second step has begun: one is finished, one is not.
      await vi.waitFor(() => expect(killed.said()).toMatch(/2 of 6 steps[^]*rule notebook_/), {
        timeout: 120_000,
        interval: 50,
      });
      killed.child.kill("SIGKILL");
      await killed.ended;
      const before = Object.keys(readState(series.outputs).notebooks);
      expect(before.length).toBeGreaterThan(0);
      const kept = before.map((name) => readFileSync(state(name), "utf8"));

      const plain = await snakemake(file, work, ["--cores", "2"]);
      expect(plain.status).not.toBe(0);
      expect(plain.err).toContain("--unlock");
      expect((await snakemake(file, work, ["--unlock"])).status).toBe(0);
      const { status, err } = await snakemake(file, work, ["--cores", "2", "--rerun-incomplete"]);
      expect(status, err).toBe(0);
      expect(before.map((name) => readFileSync(state(name), "utf8"))).toEqual(kept);
      expectSameAsLocal(series.outputs, options);
    });
  },
);
