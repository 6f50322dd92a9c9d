import { isAscii } from "node:buffer";
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { cachedDataVersionTag } from "node:v8";
import { Script } from "node:vm";
import { sha256Of } from "@alignscope/base/checksum";
import { writeFileAtomic } from "@alignscope/base/files";
import { cacheFolder } from "@alignscope/base/paths";

/** How many compiled modules stay there, of 4 MB each. */
const KEPT = 8;

/** Of a SHA-256. */
const DIGITS = 64;

/** A CommonJS module that was run, and a way to have it start sooner in the next process. */
export interface Kept<T> {
  exports: T;
  /** Keeps what V8 has made of the module until now, its functions that were called included. A full disk is no harm. */
  keep: () => void;
}

/**
 * Runs a large CommonJS module from what V8 made of it in an earlier process. It is kept in the user's cache folder, under
 * the file's size and time, and V8's own mark for its version and flags. (From version 22 on Node has the like for whole
 * programs, `module.enableCompileCache`.)
 */
export function requireKept<T>(name: string, from: string): Kept<T> {
  const path = createRequire(from).resolve(name);
  const { size, mtimeMs } = statSync(path);
  const key = [name, size, Math.round(mtimeMs), cachedDataVersionTag()].join("-");
  const folder = join(cacheFolder(), "compiled");
  const kept = join(folder, `${key}.bin`);
  const cachedData = readWhole(kept);
  const source = readBetween("(function (exports, require, module, __filename, __dirname) { ", path, "\n})");
  let script: Script | undefined = new Script(source, { filename: path, ...(cachedData && { cachedData }) });
  const stale = cachedData === undefined || script.cachedDataRejected === true;

  const module = { exports: {} as T };
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  return {
    exports: module.exports,
    keep: () => {
      const data = stale ? script?.createCachedData() : undefined;
      script = undefined;
      try {
        if (!data || !existsSync(homedir())) return;
        writeFileAtomic(kept, Buffer.concat([Buffer.from(sha256Of(data)), data]));
        prune(folder);
      } catch {
        // The next process compiles for itself.
      }
    },
  };
}

/** A file's text between two others, put together as bytes: a text of this size is slow to copy. */
function readBetween(head: string, path: string, tail: string): string {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.allocUnsafe(head.length + size + tail.length);
    if (readSync(file, bytes, head.length, size, 0) !== size) throw new Error(`${path} was read in part`);
    bytes.write(head);
    bytes.write(tail, head.length + size);
    // For V8 a text is smaller and faster where each of its characters is known to be one byte.
    return bytes.toString(isAscii(bytes) ? "latin1" : "utf8");
  } finally {
    closeSync(file);
  }
}

/** The newest few are kept: for each Node and each place that TypeScript is installed in there is one. */
function prune(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  const newest = files
    .map((path) => ({ path, time: statSync(path).mtimeMs }))
    .sort((a, b) => b.time - a.time);
  for (const { path } of newest.slice(KEPT)) rmSync(path);
}

/** What was written after its checksum. V8 trusts what it is given: of damaged bytes it would die. */
function readWhole(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const data = bytes.subarray(DIGITS);
    return sha256Of(data) === bytes.toString("latin1", 0, DIGITS) ? data : undefined;
  } catch {
    return undefined;
  }
}
