import { createHash, randomUUID } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";

/*
 * All that this repository's packages write goes through here (a rule of the linter sees to it): to the end, also where the
 * system takes less than it was given, as it does when a disk is about to be full; and under its name only when it is whole.
 */

export interface Writing {
  /** Waits until the disk has it, so that it outlives a crash of the machine; unless told not to. */
  durable?: boolean;
}

/**
 * Writes aside, then renames: a reader sees the old file or the new one, never half of either, also after a crash or on a
 * full disk. Missing parent folders are made; a link is followed; mode and owner of the old file stay. A device or a pipe
 * is written to as it is.
 *
 * @throws the system's error with the file's own path; what was there before is there still
 */
export function writeFileAtomic(
  path: string,
  data: string | NodeJS.ArrayBufferView,
  { durable = true }: Writing = {},
): void {
  inPlaceOf(path, (place) => writeWhole(place, [bytesOf(data)], durable));
}

/** {@link writeFileAtomic} that lets other work go on meanwhile. Two at once to one path are the caller's concern. */
export async function writeFileAtomicAsync(
  path: string,
  data: string | NodeJS.ArrayBufferView,
  { durable = true }: Writing = {},
): Promise<void> {
  const target = targetOf(path);
  const place = target.special ? target.path : asideOf(target.path);
  // The process may end in between.
  const clear = (): void => clearAside(place, target);
  process.once("exit", clear);
  try {
    const file = await open(place, target.special ? "w" : "wx");
    try {
      await file.writeFile(bytesOf(data));
      if (durable && !target.special) await file.sync();
    } finally {
      await file.close();
    }
    if (!target.special) settle(place, target);
  } catch (error) {
    throw failed(error, place, target);
  } finally {
    process.off("exit", clear);
  }
}

/** {@link writeFileAtomic} of indented JSON with a closing newline. */
export function writeJsonAtomic(path: string, value: unknown): void {
  writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** A copy that comes to its name only when it is whole. */
export function copyFileAtomic(from: string, to: string, { durable = true }: Writing = {}): void {
  inPlaceOf(to, (place) => {
    copyFileSync(from, place);
    if (!durable) return;
    const file = openSync(place, "r");
    try {
      sync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Writes a file piece by piece and waits until the disk has it; returns its sha256. */
export function writeDurably(path: string, chunks: Iterable<Uint8Array>): string {
  const hash = createHash("sha256");
  const hashed = function* (): Iterable<Uint8Array> {
    for (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
  };
  inPlaceOf(path, (place) => writeWhole(place, hashed(), true));
  return hash.digest("hex");
}

/** Adds to a file, to the end of what it is given; one that is missing is made. */
export function appendToFile(path: string, data: string | NodeJS.ArrayBufferView): void {
  const file = openSync(path, "a");
  try {
    appendWhole(file, data);
  } finally {
    closeSync(file);
  }
}

/** Adds to an open file, to the end of what it is given. */
export function appendWhole(file: number, data: string | NodeJS.ArrayBufferView): void {
  const bytes = bytesOf(data);
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done);
}

interface Target {
  /** Where it lies, behind links. */
  path: string;
  stats: Stats | undefined;
  /** Neither a file nor nothing: renamed over, a device would be gone. */
  special: boolean;
}

function targetOf(path: string): Target {
  let real = path;
  let stats: Stats | undefined;
  try {
    real = realpathSync(path);
    stats = statSync(real);
  } catch {
    mkdirSync(dirname(path), { recursive: true });
  }
  return { path: real, stats, special: stats !== undefined && !stats.isFile() && !stats.isDirectory() };
}

const asideOf = (path: string): string => `${path}.${randomUUID().slice(0, 8)}`;

function inPlaceOf(path: string, write: (place: string) => void): void {
  const target = targetOf(path);
  const place = target.special ? target.path : asideOf(target.path);
  try {
    write(place);
    if (!target.special) settle(place, target);
  } catch (error) {
    throw failed(error, place, target);
  }
}

function writeWhole(path: string, chunks: Iterable<Uint8Array>, durable: boolean): void {
  const file = openSync(path, "w");
  try {
    for (const chunk of chunks) appendWhole(file, chunk);
    if (durable) sync(file);
  } finally {
    closeSync(file);
  }
}

/** Gives a file that was written aside its name. */
function settle(place: string, { path, stats }: Target): void {
  if (stats) {
    chmodSync(place, stats.mode);
    try {
      chownSync(place, stats.uid, stats.gid);
    } catch {
      // Only root may give files away.
    }
  }
  renameSync(place, path);
}

function clearAside(place: string, { special }: Target): void {
  if (!special) rmSync(place, { force: true });
}

/** The error as one of the file itself: nobody knows of the other. */
function failed(error: unknown, place: string, target: Target): unknown {
  const { path } = target;
  clearAside(place, target);
  if (error instanceof Error && "code" in error) {
    const message = error.message.replaceAll(place, path);
    Object.assign(error, { path, message: message.includes(path) ? message : `${message} '${path}'` });
  }
  return error;
}

function bytesOf(data: string | NodeJS.ArrayBufferView): Buffer {
  return typeof data === "string"
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function sync(file: number): void {
  try {
    fsyncSync(file);
  } catch (error) {
    // Devices and some file systems have no such call.
    if (!["EINVAL", "ENOTSUP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** A second name for a file that nobody will change, or a copy where the file system has no such thing. */
export function linkOrCopy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileAtomic(from, to);
  }
}

/** Waits until the disk has a folder's entries. */
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
