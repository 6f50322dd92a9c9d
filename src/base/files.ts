import { createHash } from "node:crypto";
import { closeSync, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import writeFileAtomicPackage from "write-file-atomic";

/**
 * Writes aside, then renames: a reader sees the old file or the new one, never half of either, also after a crash.
 * Missing parent folders are made.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileAtomicPackage.sync(
    path,
    typeof data === "string" ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  );
}

/** {@link writeFileAtomic} of indented JSON with a closing newline. */
export function writeJsonAtomic(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a file piece by piece and waits until the disk has it; returns its sha256. */
export function writeDurably(path: string, chunks: Iterable<Uint8Array>): string {
  mkdirSync(dirname(path), { recursive: true });
  const hash = createHash("sha256");
  const file = openSync(path, "w");
  try {
    for (const chunk of chunks) {
      hash.update(chunk);
      for (let done = 0; done < chunk.length;) done += writeSync(file, chunk, done);
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/** A second name for a file that nobody will change, or a copy where the file system has no such thing. */
export function linkOrCopy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
    syncFolder(to);
  }
}

/** Waits until the disk has a folder's entries (or a file's bytes). */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } catch {
    // Some file systems have no such call for folders.
  } finally {
    closeSync(folder);
  }
}
