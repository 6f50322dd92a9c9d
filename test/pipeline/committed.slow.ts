import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareRuns } from "../../src/pipeline";
import type { RunClaims } from "../../src/pipeline/claims";

const root = resolve(__dirname, "../..");
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
 * Float32 sums in another order differ by 1e-6; training and search amplify that. On the same kind of processor a run is
 * equal to the last digit.
 */
const tolerance = { rtol: 1e-3, atol: 1e-6 };

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

    it("are what a run finds: every table's and figure's data within the tolerance", () => {
      const { data, onlyA, onlyB, files, values } = compareRuns(committed, fresh, tolerance);
      expect(files).toBeGreaterThan(60);
      expect(values).toBeGreaterThan(10_000);
      expect({
        data: data.map(({ path, moved }) => ({ path, moved: moved.slice(0, 3) })),
        onlyA,
        onlyB,
      }).toEqual({
        data: [],
        onlyA: [],
        onlyB: [],
      });
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
