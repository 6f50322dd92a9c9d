import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { locateEntry, whereabouts } from "../../src/data/locate.js";
import { registered, registry } from "../../src/data/registry.js";

describe("the embedded data of this repository", () => {
  for (const entry of registry().filter(({ sources }) => sources.embedded !== undefined)) {
    const there = existsSync(join(projectRoot(), entry.sources.embedded ?? ""));
    it.skipIf(!there)(
      `${entry.name} is as data/lab/manifest.json says${there ? "" : ` (skipped: no ${entry.sources.embedded ?? ""} yet)`}`,
      async () => {
        expect(whereabouts(entry)).toBe("embedded");
        expect((await locateEntry(entry)).path).toBe(join(projectRoot(), entry.sources.embedded ?? ""));
      },
    );
  }

  it("that is not in the manifest is an error that says how to add it", async () => {
    const unknown = { ...registered("lab-prompts"), files: [] };
    await expect(locateEntry(unknown)).rejects.toThrow(
      "data/lab/manifest.json does not list data/lab/prompts.jsonl, where lab-prompts belongs: run `npx alignscope data freeze-lab`",
    );
  });

  it("that was changed or is missing is an error that says how to restore it", async () => {
    const file = { name: "package.json", bytes: 1, sha256: "0".repeat(64) };
    const changed = { ...registered("lab-prompts"), files: [file], sources: { embedded: "package.json" } };
    await expect(locateEntry(changed)).rejects.toThrow(
      /^corrupted file .*package\.json: sha256 is [0-9a-f]{64} .*, expected 0{64} .*git checkout/,
    );
    const missing = { ...changed, sources: { embedded: "data/lab/no-such.jsonl" } };
    await expect(locateEntry(missing)).rejects.toThrow(
      "missing data/lab/no-such.jsonl, a part of the repository",
    );
  });
});
