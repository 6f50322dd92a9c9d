import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { sha256Of } from "@alignscope/base/checksum";
import { UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";
import { projectRoot } from "@alignscope/base/paths";
import { readJsonl } from "../data/readers.js";
import { LAB_FOLDER, type LabManifest } from "../data/registry.js";

/** Data, not words about them: a card or a schema may be edited without freezing anew. */
function isFrozen(name: string): boolean {
  return (
    name !== "manifest.json" &&
    !name.endsWith(".md") &&
    !name.startsWith("schemas/") &&
    !/(^|\/)\./.test(name)
  );
}

/** The files below `data/lab` that are frozen, with `/` between folders, sorted. */
function labFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter(isFrozen)
    .sort();
}

/**
 * Writes the size and sha256 of every embedded data file to `data/lab/manifest.json`, which {@link locate} compares
 * them with from then on; to be run after the data were changed on purpose.
 */
export function freezeLab(root = projectRoot()): LabManifest {
  const folder = join(root, LAB_FOLDER);
  if (!existsSync(folder))
    throw new UserError(`no ${LAB_FOLDER} in ${root}: there are no embedded data to freeze`);
  const files: Record<string, { bytes: number; sha256: string; rows?: number }> = {};
  for (const name of labFiles(folder)) {
    const path = join(folder, name);
    const content = readFileSync(path);
    files[name] = {
      bytes: content.length,
      sha256: sha256Of(content),
      ...(name.endsWith(".jsonl") ? { rows: readJsonl(path).length } : {}),
    };
  }
  const manifest: LabManifest = { files };
  writeJsonAtomic(join(folder, "manifest.json"), manifest);
  return manifest;
}
