import { mkdirSync } from "node:fs";
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
