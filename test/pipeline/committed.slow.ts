import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareRuns } from "../../src/pipeline/index.js";
import type { RunClaims } from "../../src/pipeline/claims.js";

const root = resolve(import.meta.dirname, "../..");
const fresh = join(root, "outputs/lab");

function git(...args: string[]): { status: number | null; stdout: Buffer } {
  return spawnSync("git", args, { cwd: root, maxBuffer: 2 ** 28 });
}

function whatIsMissing(): string | undefined {
  if (git("cat-file", "-e", "HEAD:outputs/lab/manifest.json").status !== 0)
    return "no repository with committed results";
  return existsSync(join(fresh, ".state")) ? undefined : "run `npm run reproduce` first";
}

const missing = whatIsMissing();

/*
 * Float32 sums in another order differ by 1e-6; training and search amplify that. With the same kernels for matrix products
 * a run is equal to the last digit; with others one value in thirty moves beyond the tolerance, and no verdict changes.
 */
const tolerance = { rtol: 1e-3, atol: 1e-6 };
const MOVED_BY_OTHER_KERNELS = 0.1;

describe.skipIf(missing !== undefined)(
  `the committed results of the profile lab (${missing ?? "here"})`,
  () => {
    let committed: string;

    beforeAll(() => {
      const folder = mkdtempSync(join(tmpdir(), "alignscope-committed-"));
      execFileSync("tar", ["-x", "-C", folder], { input: git("archive", "HEAD", "outputs/lab").stdout });
      committed = join(folder, "outputs/lab");
    });
    afterAll(() => rmSync(resolve(committed, "../.."), { recursive: true, force: true }));

    it("are what a run finds: every table's and figure's data within the tolerance, or nearly all with another BLAS", () => {
      const { data, onlyA, onlyB, files, values, environment } = compareRuns(committed, fresh, tolerance);
      expect(files).toBeGreaterThan(60);
      expect(values).toBeGreaterThan(10_000);
      expect({ onlyA, onlyB }).toEqual({ onlyA: [], onlyB: [] });
      if (environment.some(({ name }) => name === "blas")) {
        const moved = data.reduce((sum, one) => sum + one.moved.length, 0);
        expect(moved / values).toBeLessThan(MOVED_BY_OTHER_KERNELS);
      } else {
        expect(data.map(({ path, moved }) => ({ path, moved: moved.slice(0, 3) }))).toEqual([]);
      }
    });

    it("say the same of every claim", () => {
      const verdicts = (folder: string): string[] =>
        (JSON.parse(readFileSync(join(folder, "claims.json"), "utf8")) as RunClaims).claims.map(
          ({ id, verdict }) => `${id} ${verdict}`,
        );
      expect(verdicts(committed)).toEqual(verdicts(fresh));
    });
  },
);
