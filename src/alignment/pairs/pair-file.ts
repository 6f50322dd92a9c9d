import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { messageOf, UserError } from "@alignscope/base/errors";
import { appendWhole, writeFileAtomic } from "@alignscope/base/files";
import { isRow } from "./row.js";

/** What is left of an earlier run: how many whole chunks, their size, and what came after them. */
interface Found {
  chunks: number;
  bytes: number;
  torn: Uint8Array | undefined;
}

/**
 * A file of pairs to which whole chunks are added. Each is one write at the end of the file, brought to the disk before
 * the next is begun: whatever ends the process, what is lost is at most the chunk that was being written.
 */
export class PairFile {
  private constructor(
    readonly path: string,
    private readonly descriptor: number,
    /** Whole chunks that are in the file. */
    private chunks: number,
    private bytes: number,
    /** Where the end of an earlier run's unfinished chunk was put, if there was one. */
    readonly tornPath: string | undefined,
  ) {}

  /**
   * Opens the file, or begins one, and sets aside an unfinished chunk at its end as `FILE.torn`.
   *
   * @param expected the row numbers of each chunk, in order
   * @throws UserError when the file holds something else than the first of these chunks
   */
  static open(path: string, expected: readonly (readonly number[])[]): PairFile {
    const found = whatIsThere(path, expected);
    const tornPath = found.torn === undefined ? undefined : `${path}.torn`;
    if (tornPath !== undefined && found.torn !== undefined) writeFileAtomic(tornPath, found.torn);
    const descriptor = openSync(path, "a");
    if (found.torn !== undefined) ftruncateSync(descriptor, found.bytes);
    return new PairFile(path, descriptor, found.chunks, found.bytes, tornPath);
  }

  /** How many whole chunks are in the file. */
  get length(): number {
    return this.chunks;
  }

  /**
   * Adds one chunk.
   *
   * @param lines the rows as JSON, without line feeds
   * @throws UserError when it cannot be written (a full disk, another writer); the file then ends as it did before
   */
  append(lines: readonly string[]): void {
    const data = Buffer.from(lines.map((line) => `${line}\n`).join(""), "utf8");
    if (fstatSync(this.descriptor).size !== this.bytes) {
      throw new UserError(
        `${this.path} was changed by something else while pairs were added: let one process at a time write it, and run this again`,
      );
    }
    try {
      appendWhole(this.descriptor, data);
      fsyncSync(this.descriptor);
    } catch (error) {
      ftruncateSync(this.descriptor, this.bytes);
      throw new UserError(
        `cannot write ${this.path}: ${messageOf(error)}; the ${this.chunks} chunks before are kept: make room and run this again, and it goes on`,
      );
    }
    this.bytes += data.length;
    this.chunks += 1;
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

/** Reads what an earlier run left. Only the chunk that was begun last may be unfinished. */
function whatIsThere(path: string, expected: readonly (readonly number[])[]): Found {
  if (!existsSync(path)) return { chunks: 0, bytes: 0, torn: undefined };
  const data = readFileSync(path);
  let [offset, chunks] = [0, 0];
  for (const rows of expected) {
    const end = endOfChunk(data, offset, rows);
    if (end === undefined) break;
    offset = end;
    chunks += 1;
  }
  if (offset === data.length) return { chunks, bytes: offset, torn: undefined };
  // A torn chunk has fewer line feeds than rows; more lines cannot come from a write that was cut off.
  const lines = data.subarray(offset).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
  const next = expected[chunks];
  if (next === undefined || lines >= next.length) {
    const before = expected.slice(0, chunks).reduce((sum, rows) => sum + rows.length, 0);
    throw new UserError(
      `${path}:${before + 1}: expected ${next === undefined ? "the end of the file" : `rows ${String(next[0])} to ${String(next.at(-1))} of these pairs`}; it was changed, or is another file: move it away, or name another one`,
    );
  }
  return { chunks, bytes: offset, torn: data.subarray(offset) };
}

/** Where the chunk with these rows that begins at `start` ends, or nothing when it is not there as a whole. */
function endOfChunk(data: Buffer, start: number, rows: readonly number[]): number | undefined {
  let offset = start;
  for (const row of rows) {
    const end = data.indexOf(0x0a, offset);
    if (end < 0 || !isRow(data.toString("utf8", offset, end), row)) return undefined;
    offset = end + 1;
  }
  return offset;
}
