import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256Of } from "../../src/base/checksum.js";
import { readLabManifest, registered } from "../../src/data/registry.js";
import { freezeLab } from "../../src/lab/freeze.js";
import { temporaryFolder, write } from "../data/helpers.js";

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
