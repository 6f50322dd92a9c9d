import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn, spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readNotebook } from "../../src/jupyter/index.js";
import { Series } from "../pipeline/helpers.js";

const root = projectRoot();
const built =
  existsSync(join(root, "dist/src/cli/main.js")) && existsSync(join(root, "kernels/typescript/dist/main.js"));
let outputs: string;

/** Runs the command in a process of its own, on the small series that lies among the tests. */
function alignscope(command: string, ...args: string[]): { code: number | null; out: string; err: string } {
  const series = join(root, "test/pipeline/fixtures/series/pipeline.yaml");
  const result = spawnSync(
    process.execPath,
    [
      join(root, "src/cli/bin/alignscope.mjs"),
      command,
      "--pipeline",
      series,
      "--profile",
      "small",
      "--outputs",
      outputs,
      ...args,
    ],
    { encoding: "utf8", cwd: tmpdir(), timeout: 120_000 },
  );
  return { code: result.status, out: result.stdout, err: result.stderr };
}

// Two kernels start in a test, on a machine that may be busy with others.
const patience = { timeout: 300_000 };

describe.skipIf(!built)(
  "reproduce in the project's own kernel (needs the build: npm run build)",
  patience,
  () => {
    beforeAll(() => {
      outputs = mkdtempSync(join(tmpdir(), "alignscope-test-"));
    });
    afterAll(() => rmSync(outputs, { recursive: true, force: true }));

    it("runs notebooks in order with parameters, renders the pages, and does nothing the second time", () => {
      const first = alignscope("reproduce", "--only", "1,2", "-p", "count", "4", "-p", "label", "total");
      expect(first.err).toContain("1-first: cell 4/4");
      expect(first.code).toBe(0);
      expect(readFileSync(join(outputs, "artifacts/sum.json"), "utf8")).toBe('{"total":10}');
      const executed = readNotebook(join(outputs, "notebooks/1-first.ipynb"));
      expect(JSON.stringify(executed.cells.at(-1))).toContain(
        `wrote 4 numbers to ${outputs}/artifacts/numbers.json`,
      );
      expect(first.out).toContain("index.html");
      expect(existsSync(join(outputs, "site", "index.html"))).toBe(true);

      const second = alignscope("reproduce", "--only", "1,2", "-p", "count", "4", "-p", "label", "total");
      expect(second.out).toContain("Nothing to do: all 2 notebooks are up to date.");
      expect(second.code).toBe(0);
    });

    it("ends with exit code 1 and the failing cell's error, and keeps what was good", () => {
      const before = readFileSync(join(outputs, "artifacts/numbers.json"), "utf8");
      const failed = alignscope("reproduce", "--only", "1", "-p", "count", "-1");
      expect(failed.code).toBe(1);
      expect(failed.out).toMatch(/1-first +FAILED/);
      expect(failed.err).toContain("count is -1, expected 0 or more");
      expect(failed.err).toContain("notebooks/1-first.failed.ipynb");
      expect(readFileSync(join(outputs, "artifacts/numbers.json"), "utf8")).toBe(before);
    });

    it("shows what would run and why without running it", () => {
      const dry = alignscope("reproduce", "--dry-run");
      expect(dry.out).toMatch(/X-aside +will run +it has not run yet/);
      expect(existsSync(join(outputs, "notebooks/X-aside.ipynb"))).toBe(false);
      const plan = JSON.parse(alignscope("plan", "--json", "--only", "X").out) as object;
      expect(plan).toMatchObject({
        notebooks: [{ notebook: "X-aside", action: "run", reasons: ["it has not run yet"] }],
        estimate: null,
      });
      const same = alignscope("reproduce", "--dry-run", "--json", "--only", "X");
      expect(JSON.parse(same.out)).toEqual(plan);
    });

    it("tells the state of every notebook, for people and for machines", () => {
      expect(alignscope("status").out).toMatch(/2-middle +out of date/);
      const status = JSON.parse(alignscope("status", "--json").out) as { notebooks: { status: string }[] };
      expect(status.notebooks.map((entry) => entry.status)).toEqual([
        "out of date",
        "out of date",
        "missing",
        "missing",
      ]);
    });

    it("ends in good order when it is interrupted: exit code 130, nothing half done left in place", async () => {
      const series = new Series();
      series.edit("X-aside.ipynb", (text) =>
        text.replace("console.log(6 * 7);", "await new Promise((done) => setTimeout(done, 600_000));"),
      );
      const pipeline = series.file("pipeline.yaml");
      const args = ["reproduce", "--pipeline", pipeline, "--profile", "small", "--outputs", series.outputs];
      const child = spawn(process.execPath, [
        join(root, "src/cli/bin/alignscope.mjs"),
        ...args,
        "--only",
        "X",
      ]);
      const ended = once(child, "exit");
      // The stage holds the notebook from its first save on, when the kernel runs.
      const staged = join(series.outputs, ".staging/X-aside/notebooks/X-aside.ipynb");
      await vi.waitFor(() => expect(readFileSync(staged, "utf8")).toContain('"running"'), {
        timeout: 100_000,
      });
      child.kill("SIGINT");
      expect(await ended).toEqual([130, null]);
      expect(readdirSync(series.outputs).sort()).toEqual(["README.md", "manifest.json", "notebooks", "site"]);
      expect(readdirSync(join(series.outputs, "notebooks"))).toEqual(["X-aside.failed.ipynb"]);
    });
  },
);
