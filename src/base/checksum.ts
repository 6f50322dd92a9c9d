import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "./errors.js";
import { writeJsonAtomic } from "./files.js";
import { cacheFolder } from "./paths.js";

/** Files smaller than this are hashed every time: it takes milliseconds and notices every change. */
const REMEMBER_FROM_BYTES = 16 * 1024 * 1024;

interface Remembered {
  path: string;
  size: number;
  mtimeMs: number;
  sha256: string;
}

/** The sha256 of some text or bytes, in hexadecimal. */
export function sha256Of(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The sha256 of a file's bytes, in hexadecimal, read now. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

function memoryOf(path: string): string {
  return join(cacheFolder(), "checksums", `${sha256Of(path).slice(0, 32)}.json`);
}

function recall(path: string, size: number, mtimeMs: number): string | undefined {
  try {
    const known = JSON.parse(readFileSync(memoryOf(path), "utf8")) as Partial<Remembered>;
    const same = known.path === path && known.size === size && known.mtimeMs === mtimeMs;
    return same ? known.sha256 : undefined;
  } catch {
    return undefined; // never hashed, or the note is unreadable: hash again
  }
}

/**
 * The sha256 of a file's bytes. A big file's is remembered in the cache folder and taken from there as long as the
 * file's size and time of modification stay the same, so that the weights of a model are not read twice per run.
 *
 * @param options.fresh read the file even if its checksum is remembered
 */
export async function checksumOf(path: string, options: { fresh?: boolean } = {}): Promise<string> {
  const absolute = resolve(path);
  const { size, mtimeMs } = statSync(absolute);
  if (size < REMEMBER_FROM_BYTES) return hashFile(absolute);
  const known = options.fresh ? undefined : recall(absolute, size, mtimeMs);
  if (known) return known;
  const sha256 = await hashFile(absolute);
  try {
    writeJsonAtomic(memoryOf(absolute), { path: absolute, size, mtimeMs, sha256 } satisfies Remembered);
  } catch {
    // A cache folder that cannot be written costs time on the next run, not correctness.
  }
  return sha256;
}

/**
 * One checksum for the weights of a model folder, to tell what an artifact was computed from: the sha256 of
 * `model.safetensors`; for several shards that of their names and checksums.
 */
export async function modelChecksum(folder: string): Promise<string> {
  if (!existsSync(folder)) throw new UserError(`no model folder ${folder}`);
  const weights = readdirSync(folder)
    .filter((file) => file.endsWith(".safetensors"))
    .sort();
  const [only] = weights;
  if (only === undefined) {
    throw new UserError(`no weights in ${folder}: expected model.safetensors or its shards`);
  }
  if (weights.length === 1) return checksumOf(join(folder, only));
  const lines: string[] = [];
  for (const file of weights) lines.push(`${await checksumOf(join(folder, file))}  ${file}\n`);
  return sha256Of(lines.join(""));
}
