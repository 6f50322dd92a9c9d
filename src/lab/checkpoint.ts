import { existsSync, readFileSync } from "node:fs";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";

/** Writes a training state: the step as a 64-bit float, then the values, all little-endian; whole or not at all. */
export function saveCheckpoint(path: string, state: Float32Array, step: number): void {
  const bytes = new Uint8Array(8 + state.byteLength);
  new DataView(bytes.buffer).setFloat64(0, step, true);
  bytes.set(new Uint8Array(state.buffer, state.byteOffset, state.byteLength), 8);
  writeFileAtomic(path, bytes);
}

/**
 * Reads a state into `state`, and returns its step; 0 where there is none.
 *
 * @throws UserError when the file is of another size
 */
export function restoreCheckpoint(path: string, state: Float32Array): number {
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path);
  if (bytes.length !== 8 + state.byteLength) {
    throw new UserError(
      `${path}: ${bytes.length} bytes, expected ${8 + state.byteLength}: a checkpoint of another model; remove it to start anew`,
    );
  }
  new Uint8Array(state.buffer, state.byteOffset, state.byteLength).set(bytes.subarray(8));
  return bytes.readDoubleLE(0);
}
