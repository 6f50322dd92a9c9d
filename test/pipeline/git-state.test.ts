import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { gitState } from "../../src/pipeline/provenance";

const folder = mkdtempSync(join(tmpdir(), "alignscope-git-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const git = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
    cwd: folder,
    encoding: "utf8",
  }).trim();

it.skipIf(spawnSync("git", ["--version"]).status !== 0)(
  "a run's commit and whether files differ are read without writing to the repository, so that a killed run leaves no lock (needs git)",
  () => {
    expect(gitState(folder)).toEqual({ commit: null, dirty: null });
    git("init", "-q");
    writeFileSync(join(folder, "a"), "text");
    git("add", "a");
    git("commit", "-q", "-m", "first");
    // As if written again with the same text: what git would note down in its index.
    utimesSync(join(folder, "a"), 1, 1);
    const index = readFileSync(join(folder, ".git", "index"));
    expect(gitState(folder)).toEqual({ commit: git("rev-parse", "HEAD"), dirty: false });
    expect(readFileSync(join(folder, ".git", "index"))).toEqual(index);
    writeFileSync(join(folder, "a"), "other");
    expect(gitState(folder).dirty).toBe(true);
  },
);
