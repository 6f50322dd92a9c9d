import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { messageOf, UserError } from "@alignscope/base/errors";
import { suggestion } from "@alignscope/base/nearest";
import { projectRoot } from "@alignscope/base/paths";
import { fields, readText } from "./readers.js";

/** A file by its name (below the entry's folder, where there is one) and what its bytes must be. */
export interface RegisteredFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A repository of the Hugging Face hub at one commit, so that what is fetched can never change. */
export interface HubSource {
  readonly kind: "model" | "dataset";
  readonly repo: string;
  readonly revision: string;
  /** The file's path in the repository, where it differs from the registered file's name. */
  readonly path?: string;
}

/** A zip archive that a download source delivers instead of the file itself. */
export interface Archive extends RegisteredFile {
  /** The path in the archive of the registered file. */
  readonly member: string;
}

/** Where an entry may come from; every kind that is missing here is simply not tried. */
export interface Sources {
  /** Carried by the repository: a path relative to the project's root. */
  readonly embedded?: string;
  /** The name of the file or folder in a mirror (ALIGNSCOPE_MIRROR). */
  readonly mirror?: string;
  readonly huggingface?: HubSource;
  /** A public address of exactly this file, pinned to a commit. */
  readonly url?: string;
  /** What `huggingface` or `url` deliver is this archive. */
  readonly archive?: Archive;
}

/** A data set, a GPT-2 in Hugging Face layout or a toxicity classifier that can be located by its name. */
export interface Registered {
  readonly name: string;
  readonly kind: "dataset" | "model" | "scorer";
  readonly description: string;
  readonly licence: string;
  /** Where the data was first published, in words, and the page about it. */
  readonly origin: string;
  readonly homepage?: string;
  /** Records in a data set: a line of text, a row of a table or an element of an array. */
  readonly rows?: number;
  /** `"file"`: `locate` gives the path of the one file; `"folder"`: that of the folder. */
  readonly layout: "file" | "folder";
  readonly files: readonly RegisteredFile[];
  readonly sources: Sources;
  /** sha256 of the file; of a model: of its weights. */
  readonly sha256: string;
  /** Size in bytes; of a model: all of its files together. */
  readonly bytes: number;
}

/** What `data/registry.yaml` states of an entry; the rest follows from it. */
interface Entry extends Omit<Registered, "sha256" | "bytes" | "files"> {
  /** Left out for embedded data, whose checksums stand in `data/lab/manifest.json`. */
  readonly files?: readonly RegisteredFile[];
}

/** The checksums of the embedded data: `alignscope data freeze-lab` writes them to `data/lab/manifest.json`. */
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

/** The fields that every entry has. */
const isEntry = fields({
  name: "string",
  kind: "string",
  layout: "string",
  description: "string",
  licence: "string",
  origin: "string",
  sources: "object",
});

let entries: readonly Entry[] | undefined;

/** `data/registry.yaml`, read once. */
function stated(): readonly Entry[] {
  return (entries ??= readEntries(join(projectRoot(), "data", "registry.yaml")));
}

/** The entries of a registry's file. @throws UserError in one line for what is not YAML, or not a list of entries */
export function readEntries(path: string): readonly Entry[] {
  let list: unknown;
  try {
    list = parse(readText(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path} is not YAML: ${messageOf(error).split("\n")[0]}`);
  }
  if (!Array.isArray(list)) throw new UserError(`${path}: got no list, expected one of data sets and models`);
  for (const [i, entry] of list.entries()) {
    const objection = isEntry(entry, i + 1);
    if (objection !== undefined) throw new UserError(`${path}: entry ${i + 1}: ${objection}`);
  }
  return list as Entry[];
}

function complete(entry: Entry, lab: LabManifest): Registered {
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
  return stated().map((entry) => complete(entry, lab));
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
  const all = registry(root);
  const entry = all.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const names = all.map((candidate) => candidate.name);
  throw new UserError(`unknown data set or model: ${name} (${suggestion(name, names)})`);
}
