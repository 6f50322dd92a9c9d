import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic } from "@alignscope/base/files";
import { difference, readMadeWith, writeMadeWith, type MadeWith } from "../alignment/pairs/made-with.js";
import { isRow } from "../alignment/pairs/row.js";
import { chunksOf, shardPath, type Shard } from "../alignment/pairs/shard.js";

/**
 * Puts the shards of a file together, in the order of the prompts; they stay where they are.
 *
 * @param path the file of the whole; its shards lie beside it
 * @param options which shards
 * @param options.of how many shards there are, where shards of several divisions lie there
 * @throws UserError when shards are missing, unfinished or made with different settings, or the file is there already
 *   with other content
 */
export function mergePairs(
  path: string,
  { of }: { of?: number } = {},
): { path: string; rows: number; shards: number } {
  const shards = completeSet(path, of);
  const made = sameSettings(path, shards);
  const rows: Buffer[] = [];
  for (const shard of shards) {
    for (const [row, line] of rowsOf(shardPath(path, shard), made, shard)) rows[row] = line;
  }
  const whole = Buffer.concat(rows);
  if (existsSync(path) && !readFileSync(path).equals(whole)) {
    throw new UserError(`${path} is there already and is not these shards merged: move it away first`);
  }
  writeMadeWith(path, { ...made, shard: null });
  writeFileAtomic(path, whole);
  return { path, rows: rows.length, shards: shards.length };
}

/** All shards of the one division that lies beside `path`. */
function completeSet(path: string, asked: number | undefined): Shard[] {
  const folder = dirname(path);
  if (!existsSync(folder)) throw new UserError(`no folder ${folder}: expected the shards of ${path} in it`);
  const found = shardsBeside(path);
  const divisions = [...found.keys()].sort((a, b) => a - b);
  const of = asked ?? (divisions.length === 1 ? divisions[0] : undefined);
  if (of === undefined) {
    throw new UserError(
      divisions.length === 0
        ? `no shards of ${path}: expected ${basename(shardPath(path, { index: 1, of: 4 }))} and so on beside it`
        : `shards of several divisions lie beside ${path} (${divisions.join(", ")}): say of how many (--of N)`,
    );
  }
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter(
    (index) => !found.get(of)?.includes(index),
  );
  if (missing.length > 0) {
    throw new UserError(
      `${path}: shards ${missing.map((index) => `${index}/${of}`).join(", ")} are missing: make them with --shard`,
    );
  }
  return Array.from({ length: of }, (_, i) => ({ index: i + 1, of }));
}

/** The shards of a file that lie beside it, by how many there should be: their indices, sorted. */
function shardsBeside(path: string): Map<number, number[]> {
  const stem = basename(path).replace(/\.jsonl$/, "");
  const found = new Map<number, number[]>();
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${stem}.shard-`)) continue;
    const [, index, of] = (/^\.shard-(\d+)-of-(\d+)\.jsonl$/.exec(name.slice(stem.length)) ?? []).map(Number);
    if (index !== undefined && of !== undefined) found.set(of, [...(found.get(of) ?? []), index]);
  }
  for (const indices of found.values()) indices.sort((a, b) => a - b);
  return found;
}

function sameSettings(path: string, shards: readonly Shard[]): MadeWith {
  let first: MadeWith | undefined;
  for (const shard of shards) {
    const file = shardPath(path, shard);
    const made = readMadeWith(file);
    if (!made) throw new UserError(`no ${file}.meta.json: it says what the shard was made with`);
    first ??= made;
    const differs = difference(made, first, ["shard"]);
    if (differs !== undefined) {
      throw new UserError(
        `${file} was made with other settings than the first shard (${differs}): make it anew`,
      );
    }
  }
  if (!first) throw new UserError(`no shards of ${path}`);
  return first;
}

/** The lines of a shard, with their line feeds, by the row that each should be. */
function rowsOf(file: string, made: MadeWith, shard: Shard): [number, Buffer][] {
  const expected = chunksOf(made.prompts.count, made.rowsPerChunk, shard).flat();
  const data = readFileSync(file);
  const rows: [number, Buffer][] = [];
  let offset = 0;
  for (const row of expected) {
    const end = data.indexOf(0x0a, offset);
    if (end < 0) {
      throw new UserError(
        `${file} has ${rows.length} of ${expected.length} rows: run its --shard again, and it goes on`,
      );
    }
    const line = data.subarray(offset, end + 1);
    if (!isRow(line.toString("utf8"), row)) {
      throw new UserError(
        `${file}:${rows.length + 1}: expected row ${row} of the pairs; make the shard anew`,
      );
    }
    rows.push([row, line]);
    offset = end + 1;
  }
  if (offset < data.length) {
    throw new UserError(`${file}:${rows.length + 1}: expected the end of the file; make the shard anew`);
  }
  return rows;
}
