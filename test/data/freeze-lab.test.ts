import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import { freezeLab } from "../../src/data/freeze-lab.js";
import { locateEntry, whereabouts } from "../../src/data/locate.js";
import { projectRoot } from "../../src/base/paths.js";
import { readLabManifest, registered, registry } from "../../src/data/registry.js";
import { temporaryFolder, write } from "./helpers.js";

describe("freezing the embedded data", () => {
  it("writes size, sha256 and rows of each data file, not of cards and schemas", () => {
    const root = temporaryFolder();
    expect(() => freezeLab(root)).toThrow("there are no embedded data to freeze");
    write(root, "data/lab/prompts.jsonl", '{"prompt":"a"}\n{"prompt":"b"}\n');
    write(root, "data/lab/model/model.safetensors", "weights");
    write(root, "data/lab/model/README.md", "a card");
    write(root, "data/lab/schemas/prompts.schema.json", "{}");
    freezeLab(root);
    expect(JSON.parse(readFileSync(join(root, "data/lab/manifest.json"), "utf8"))).toEqual({
      files: {
        "model/model.safetensors": { bytes: 7, sha256: sha256Of("weights") },
        "prompts.jsonl": { bytes: 30, sha256: sha256Of('{"prompt":"a"}\n{"prompt":"b"}\n'), rows: 2 },
      },
    });
    expect(freezeLab(root)).toEqual(readLabManifest(root));

    expect(registered("lab-prompts", root)).toMatchObject({ rows: 2, bytes: 30 });
    expect(registered("lab", root).files).toEqual([
      { name: "model.safetensors", bytes: 7, sha256: sha256Of("weights") },
    ]);
    expect(registered("lab-comments", root).files).toEqual([]);
  });
});

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
