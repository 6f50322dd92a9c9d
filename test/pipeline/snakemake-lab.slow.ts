import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Manifest, openProject, plan, verify } from "../../src/pipeline/index.js";
import { temporaryFolder } from "./helpers.js";
import { alignscope, snakemake, snakemakeIsThere } from "./snakemake.js";

const root = resolve(import.meta.dirname, "../..");
const local = join(root, "outputs/lab");

/** Whether outputs/lab is whole, and what a run of this very code would leave. */
async function localRunIsThere(): Promise<boolean> {
  if (!existsSync(join(local, "manifest.json"))) return false;
  if ((await verify(local)).findings.length > 0) return false;
  return (await plan(await openProject())).every(({ action }) => action === "skip");
}

const ready = snakemakeIsThere && (await localRunIsThere());

describe("the lab profile run by Snakemake, pairs in two parts side by side", () => {
  it.skipIf(!ready)(
    "finds what the local run found (needs Debian's snakemake, and a finished outputs/lab: run npm run reproduce first)",
    { timeout: 40 * 60_000 },
    async () => {
      const work = temporaryFolder();
      const [file, outputs] = [join(work, "Snakefile"), join(work, "lab")];
      symlinkSync(join(root, "notebooks"), join(work, "notebooks")); // as in the project's root, whose own .snakemake stays as it is
      const exported = alignscope(
        ..."plan --export snakemake --shards 2".split(" "),
        ...["--outputs", outputs, "--out", file],
      );
      expect(exported).toMatchObject({ status: 0 });
      const begun = Date.now();
      const { status, err } = await snakemake(file, work, ["--cores", "2"]);
      expect(err).toContain("18 of 18 steps (100%) done");
      expect(status).toBe(0);
      console.log(`the lab profile by Snakemake: ${Math.round((Date.now() - begun) / 1000)} s`);

      const pairs = (folder: string) => readFileSync(join(folder, "artifacts/pairs.jsonl"), "utf8");
      expect(pairs(outputs)).toBe(pairs(local));
      const verified = alignscope("verify", outputs);
      expect(verified.out).toContain("are what the manifest says");
      expect(verified.status).toBe(0);

      const manifest = JSON.parse(readFileSync(join(outputs, "manifest.json"), "utf8")) as Manifest;
      const theirs = JSON.parse(readFileSync(join(local, "manifest.json"), "utf8")) as Manifest;
      expect(manifest.notebooks.map(({ name }) => name)).toEqual(theirs.notebooks.map(({ name }) => name));
      for (const notebook of manifest.notebooks) {
        expect(notebook.outputs, notebook.name).toBeDefined();
        expect(notebook.madeBy?.backend, notebook.name).toBeDefined();
        expect(notebook.cellSeconds?.length, notebook.name).toBeGreaterThan(0);
      }
      const compared = alignscope("diff", local, outputs, "--json");
      expect(JSON.parse(compared.out)).toMatchObject({ equal: true, onlyA: [], onlyB: [] });
      expect(compared.status).toBe(0);
    },
  );
});
