import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { Series } from "./helpers";

const root = resolve(__dirname, "../..");
const there = spawnSync("snakemake", ["--version"], { encoding: "utf8" }).status === 0;
const built = existsSync(join(root, "dist/src/cli/main.js"));

/** Every file below some folders of a run, with its text. */
function results(outputs: string): Record<string, string> {
  return Object.fromEntries(
    ["artifacts", "figures", "tables"].flatMap((folder) =>
      readdirSync(join(outputs, folder)).map((name) => [
        `${folder}/${name}`,
        readFileSync(join(outputs, folder, name), "utf8"),
      ]),
    ),
  );
}

describe("the series run by Snakemake", () => {
  it.skipIf(!there || !built)(
    "leaves what a local run leaves (needs Debian's snakemake and the build)",
    { timeout: 300_000 },
    () => {
      const [series, local] = [new Series(), new Series()];
      const alignscope = (...args: string[]) =>
        spawnSync(process.execPath, [join(root, "src/cli/bin/alignscope.mjs"), ...args], {
          cwd: root,
          encoding: "utf8",
        });
      const options = ["--profile", "small", "--pipeline", series.file("pipeline.yaml")];
      expect(alignscope("reproduce", ...options, "--outputs", local.outputs, "--jobs", "2").status).toBe(0);
      const work = dirname(series.folder);
      const file = join(work, "Snakefile");
      alignscope("plan", ...options, "--outputs", series.outputs, "--export", "snakemake", "--out", file);
      const command = `alignscope=${process.execPath} ${join(root, "src/cli/bin/alignscope.mjs")}`;
      const { status, stderr } = spawnSync(
        "snakemake",
        ["-s", file, "-d", work, "--cores", "4", "--config", command],
        { encoding: "utf8", env: { ...process.env, HOME: work } },
      );
      expect(stderr).toContain("6 of 6 steps (100%) done");
      expect(status).toBe(0);
      expect(results(series.outputs)).toEqual(results(local.outputs));
      const verified = alignscope("verify", series.outputs);
      expect(verified.stdout).toContain("are what the manifest says");
    },
  );
});
