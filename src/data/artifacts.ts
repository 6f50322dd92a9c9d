import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { sha256Of } from "@alignscope/base/checksum";
import { messageOf, UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { decodeFloats, encodeFloats, type Floats } from "./floats.js";
import { projectRoot } from "@alignscope/base/paths";

/** What an artifact was made from; reading with another expectation is refused. */
export interface MadeWith {
  /** {@link modelChecksum} of the model. */
  readonly model?: string;
  readonly profile?: string;
}

/** The frame that every JSON artifact is written in. */
interface Framed {
  readonly artifact: string;
  readonly madeBy: string | null;
  readonly madeWith: MadeWith;
  readonly value: unknown;
}

export interface Artifacts {
  readonly folder: string;
  /** The path of an artifact, whether it is there or not. */
  path(name: string): string;
  has(name: string): boolean;
  /** Writes a JSON value, stamped with what it was made from. */
  writeJson(name: string, value: unknown): void;
  /** The value of a JSON artifact. */
  readJson<T>(name: string): T;
  /** Writes an array of numbers, stamped, as a safetensors file with the one tensor `values`. */
  writeFloats(name: string, floats: Floats): void;
  readFloats(name: string): Floats;
  /**
   * The sha256 of a file that bears no stamp itself, for a JSON artifact that vouches for it:
   * `writeJson("pairs.json", { …, sha256: checksum("pairs.jsonl") })`.
   */
  checksum(name: string): string;
  /**
   * The path of such a file, once the JSON artifact that vouches for it was made with what this run works with, and its
   * `sha256` is the file's.
   *
   * @example await readPairs(artifacts.checkedPath("pairs.jsonl", "pairs.json"))
   */
  checkedPath(name: string, voucher: string): string;
}

/** Whether a name can be an artifact's: a file below the artifact folder, `probe.json` or `policy/config.json`. */
export function isArtifactPath(name: string): boolean {
  return name.split("/").every((part) => /^[\w-][\w.-]*$/.test(part));
}

interface Series {
  notebooks?: Readonly<Record<string, { makes?: string[] } | null>>;
}

/** The notebook that makes each artifact, by the artifact's name, as `notebooks/pipeline.yaml` has it. */
function makers(): Map<string, string> {
  const makes = new Map<string, string>();
  try {
    const text = readFileSync(join(projectRoot(), "notebooks", "pipeline.yaml"), "utf8");
    for (const [notebook, entry] of Object.entries((parse(text) as Series).notebooks ?? {}))
      for (const name of entry?.makes ?? []) makes.set(name, notebook);
  } catch {
    // Missing or damaged: whoever runs the series says so.
  }
  return makes;
}

/** What to do about an artifact that is missing, by its maker. */
function howToMake(name: string): string {
  const known = makers();
  const madeBy = known.get(name);
  if (madeBy !== undefined) return `run notebook ${madeBy}, which makes it`;
  return `no notebook is known to make it (known: ${[...known.keys()].join(", ")})`;
}

function readArtifact(path: string, name: string, folder: string): Buffer {
  if (!existsSync(path)) throw new UserError(`missing artifact ${name} in ${folder}: ${howToMake(name)}`);
  return readFileSync(path);
}

function refuseOthers(name: string, path: string, found: MadeWith, expected: MadeWith): void {
  for (const key of ["model", "profile"] as const) {
    const wanted = expected[key];
    if (wanted === undefined || found[key] === wanted) continue;
    throw new UserError(
      `artifact ${name} was made with ${key} ${found[key] ?? "unknown"}, expected ${wanted} (${path}): ` +
        (makers().has(name) ? `run notebook ${makers().get(name)} again` : "make it again"),
    );
  }
}

/**
 * The artifacts of a run in `folder`, which need not exist yet. Files are written aside and renamed.
 *
 * @param madeWith what this run works with: stamped on what it writes, and expected of what it reads; a key that is
 *   left out is neither
 * @example
 * const artifacts = openArtifacts("outputs/lab/artifacts", { model: await modelChecksum(folder), profile: "lab" });
 * artifacts.writeJson("probe.json", { weight, auroc });
 * @throws UserError on reading: one line that names the artifact that is missing, or made from something else, and the
 *   notebook that makes it
 */
export function openArtifacts(folder: string, madeWith: MadeWith = {}): Artifacts {
  const root = resolve(folder);
  function path(name: string): string {
    if (!isArtifactPath(name)) {
      throw new UserError(`not a name for an artifact: ${name} (expected a file name such as probe.json)`);
    }
    return join(root, name);
  }
  function readJson<T>(name: string): T {
    const file = path(name);
    let framed: Partial<Framed> | null;
    try {
      framed = JSON.parse(readArtifact(file, name, root).toString("utf8")) as Partial<Framed> | null;
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`unreadable artifact ${file} (${messageOf(error)}): ${howToMake(name)}`);
    }
    if (framed?.madeWith === undefined || !("value" in framed)) {
      throw new UserError(`${file} is not an artifact of a notebook: ${howToMake(name)}`);
    }
    refuseOthers(name, file, framed.madeWith, madeWith);
    return framed.value as T;
  }
  const checksum = (name: string): string => sha256Of(readArtifact(path(name), name, root));
  return {
    folder: root,
    path,
    has: (name) => existsSync(path(name)),
    writeJson(name, value) {
      writeJsonAtomic(path(name), {
        artifact: name,
        madeBy: makers().get(name) ?? null,
        madeWith,
        value,
      } satisfies Framed);
    },
    readJson,
    writeFloats(name, floats) {
      writeFileAtomic(path(name), encodeFloats(floats, { ...madeWith }));
    },
    readFloats(name) {
      const file = path(name);
      const { floats, stamp } = decodeFloats(file, readArtifact(file, name, root));
      refuseOthers(name, file, stamp, madeWith);
      return floats;
    },
    checksum,
    checkedPath(name, voucher) {
      const said = readJson<{ sha256?: unknown } | null>(voucher)?.sha256;
      const found = checksum(name);
      if (found !== said) {
        const expected = typeof said === "string" ? `the sha256 ${said}` : "a sha256, which is not there";
        throw new UserError(
          `artifact ${name} is not the one that ${voucher} speaks of: it has the sha256 ${found}, expected ${expected} (${path(name)}): ${howToMake(name)}`,
        );
      }
      return path(name);
    },
  };
}
