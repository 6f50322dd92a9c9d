import { createHash } from "node:crypto";
import { closeSync, copyFileSync, fsyncSync, linkSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { UserError } from "@alignscope/base/errors";

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

const FULL: Record<string, string> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than allowed here",
  EROFS: "the file system is read-only",
};

/** Runs something that writes; where the disk has no room for it the error says so, and what to do. */
export async function withRoom<T>(what: string, write: () => T | Promise<T>, safe = ""): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const reason = FULL[(error as NodeJS.ErrnoException).code ?? ""];
    if (!reason) throw error;
    throw new UserError(`${what} could not be written: ${reason}; ${safe}make room and start again`, {
      cause: error,
    });
  }
}
