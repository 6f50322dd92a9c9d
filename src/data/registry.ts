import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "./catalogue.js";
import type { CatalogueEntry, Registered } from "./entries.js";
import { UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import { projectRoot } from "@alignscope/base/paths";

export type {    Registered, RegisteredFile, Sources } from "./entries.js";

/** The checksums of the embedded data: {@link freezeLab} writes them to `data/lab/manifest.json`. */
export interface LabManifest {
  readonly files: Readonly<Record<string, { bytes: number; sha256: string; rows?: number }>>;
}

/** The folder of the embedded data, relative to the project's root. */
export const LAB_FOLDER = "data/lab";

/** Reads `data/lab/manifest.json`; without one (nothing is embedded yet) no file is known. */
export function readLabManifest(root = projectRoot()): LabManifest {
  const path = join(root, LAB_FOLDER, "manifest.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as LabManifest) : { files: {} };
}

function complete(entry: CatalogueEntry, lab: LabManifest): Registered {
  let { files, rows } = entry;
  const { embedded } = entry.sources;
  if (embedded !== undefined) {
    const below = embedded.slice(LAB_FOLDER.length + 1);
    const mine = Object.entries(lab.files).filter(([name]) => name === below || name.startsWith(`${below}/`));
    files = mine.map(([name, { bytes, sha256 }]) => ({
      name: name === below ? (name.split("/").at(-1) ?? name) : name.slice(below.length + 1),
      bytes,
      sha256,
    }));
    if (entry.layout === "file") rows = mine[0]?.[1].rows;
  }
  const known = files ?? [];
  const weights = known.find(({ name }) => name === "model.safetensors") ?? known[0];
  return {
    ...entry,
    ...(rows === undefined ? {} : { rows }),
    files: known,
    sha256: weights?.sha256 ?? "",
    bytes: known.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Everything that the project knows by name. */
export function registry(root = projectRoot()): Registered[] {
  const lab = readLabManifest(root);
  return catalogue.map((entry) => complete(entry, lab));
}

/** The data sets of `registry`. */
export function datasets(): Registered[] {
  return registry().filter(({ kind }) => kind === "dataset");
}

/** The models of `registry`. */
export function models(): Registered[] {
  return registry().filter(({ kind }) => kind === "model");
}

/** The entry of that name; for an unknown one a {@link UserError} that lists the nearest names. */
export function registered(name: string, root = projectRoot()): Registered {
  const entries = registry(root);
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const names = entries.map((candidate) => candidate.name);
  throw new UserError(`unknown data set or model: ${name} (${suggestion(name, names)})`);
}
