import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { sha256Of } from "@alignscope/base/checksum";
import { parseJson, UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";
import { readText } from "../../data/readers.js";
import type { Shard } from "./shard.js";

/** What decides the bytes of a file of pairs; kept beside it as `FILE.meta.json`. */
export interface MadeWith {
  format: "alignscope-pairs";
  version: 1;
  /** How many prompts the whole list has, and the sha256 of it as JSON. */
  prompts: { count: number; sha256: string };
  seed: number;
  rowsPerChunk: number;
  scorer: string;
  /** `null`: the whole. */
  shard: Shard | null;
  /** What the caller says of model, tokenizer and how both sides are generated. */
  settings: Readonly<Record<string, unknown>>;
}

export function metaPath(path: string): string {
  return `${path}.meta.json`;
}

export function promptsChecksum(prompts: readonly string[]): MadeWith["prompts"] {
  return { count: prompts.length, sha256: sha256Of(JSON.stringify(prompts)) };
}

/** What a file was made with, or nothing where no note lies beside it. */
export function readMadeWith(path: string): MadeWith | undefined {
  const meta = metaPath(path);
  if (!existsSync(meta)) return undefined;
  const made = parseJson<Partial<MadeWith>>(
    readText(meta),
    (why) => `${meta}: not JSON (${why}); delete it and ${path} and make the pairs anew`,
  );
  if (made.format !== "alignscope-pairs" || made.version !== 1 || made.prompts === undefined) {
    throw new UserError(`${meta}: expected the note of a file of pairs (format alignscope-pairs, version 1)`);
  }
  return made as MadeWith;
}

export function writeMadeWith(path: string, made: MadeWith): void {
  writeJsonAtomic(metaPath(path), made);
}

/** The first setting that differs, as `negative.iterations is 10, was 50`, or nothing. */
export function difference(
  now: MadeWith,
  before: MadeWith,
  except: readonly (keyof MadeWith)[] = [],
): string | undefined {
  const flat = (value: unknown, name: string): [string, unknown][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, inner]) => flat(inner, name === "" ? key : `${name}.${key}`))
      : [[name, value]];
  const left = (made: MadeWith): Map<string, unknown> => {
    // Through JSON, as the note was: what is undefined is not there.
    const plain = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
    return new Map(
      flat(
        Object.fromEntries(Object.entries(plain).filter(([key]) => !except.includes(key as keyof MadeWith))),
        "",
      ),
    );
  };
  const [a, b] = [left(now), left(before)];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    if (isDeepStrictEqual(a.get(name), b.get(name))) continue;
    const shown = (value: unknown): string => (value === undefined ? "not set" : JSON.stringify(value));
    return `${name.replace(/^settings\./, "")} is ${shown(a.get(name))}, was ${shown(b.get(name))}`;
  }
  return undefined;
}
