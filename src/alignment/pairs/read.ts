import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import type { LocateOptions } from "../../data/locate.js";
import { readJsonl } from "../../data/readers.js";
import { readMadeWith } from "./made-with.js";
import { readParadetox, type Rewrites } from "./paradetox.js";
import { placeOf } from "./place.js";
import { objection, pairOf, type LocatedPair, type PairRow, type ReadPair } from "./row.js";
import { chunksOf } from "./shard.js";

export interface ReadPairsOptions {
  /** Refuses the first row that would be dropped, and a file that is not finished; false unless said otherwise. */
  strict?: boolean;
  /** Which of ParaDetox' neutral rewrites make a pair: the first, unless said otherwise, or each. */
  rewrites?: Rewrites;
  locate?: LocateOptions;
}

/** Why a row was dropped. */
export type Fault = "empty" | "same" | "duplicate";

export interface ReadPairs {
  pairs: ReadPair[];
  report: {
    /** Each file, and the rows in it. */
    files: { path: string; rows: number }[];
    /** Rows with an empty side, with two equal sides, with the same texts as an earlier row. */
    dropped: Record<Fault, number>;
    /** The first dropped rows, `FILE:LINE` and why. */
    places: string[];
    /** Rows that a file made here does not have yet. */
    missing: number;
  };
}

const PLACES = 10;

const FAULTS: Record<Fault, string> = {
  empty: "an empty side",
  same: "two equal sides",
  duplicate: "the same texts as an earlier row",
};

/**
 * Reads preference pairs: a file of the published format (docs/recipes.md#preference-pairs) or of {@link makePairs}, a
 * folder of such files called `split_….jsonl` (in the order of their names, numbers by value), or ParaDetox (`paradetox`, a
 * `.tsv` with toxic and neutral1 to neutral3; its prompts are empty).
 *
 * Rows that teach nothing are dropped and counted; what is no row of pairs at all is an error.
 *
 * @throws UserError naming file and line of a row without one of the fields; with `strict`, of one that would be dropped
 * @example const { pairs, report } = await readPairs("outputs/lab/pairs.jsonl");
 */
export async function readPairs(nameOrPath: string, options: ReadPairsOptions = {}): Promise<ReadPairs> {
  const place = await placeOf(nameOrPath, options.locate);
  const files = statSync(place).isDirectory() ? splitsIn(place) : [place];
  const kept: ReadPair[] = [];
  const report: ReadPairs["report"] = {
    files: [],
    dropped: { empty: 0, same: 0, duplicate: 0 },
    places: [],
    missing: 0,
  };
  const seen = new Set<string>();
  for (const path of files) {
    const found = extname(path) === ".tsv" ? readParadetox(path, options.rewrites) : readRows(path);
    report.files.push({ path, rows: found.length });
    report.missing += missingFrom(path, found.length, options.strict);
    for (const { pair, line } of found) {
      const fault = faultOf(pair, seen);
      if (fault === undefined) {
        kept.push(pair);
        continue;
      }
      const where = `${path}:${line}: ${FAULTS[fault]}`;
      if (options.strict) throw new UserError(`${where}; remove the row, or read without strict to drop it`);
      report.dropped[fault] += 1;
      if (report.places.length < PLACES) report.places.push(where);
    }
  }
  if (kept.length === 0) throw new UserError(`${place}: no usable pairs among ${sum(report.dropped)} rows`);
  return { pairs: kept, report };
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function splitsIn(folder: string): string[] {
  const splits = readdirSync(folder)
    .filter((name) => /^split_.*\.jsonl$/.test(name))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (splits.length === 0)
    throw new UserError(`no split_*.jsonl in ${folder}: expected the files of the published set`);
  return splits.map((name) => join(folder, name));
}

function readRows(path: string): LocatedPair[] {
  const lines: number[] = [];
  const rows = readJsonl<PairRow>(path, {
    validate: (record, line) => {
      lines.push(line);
      return objection(record);
    },
  });
  const stem = basename(path, ".jsonl");
  return rows.map((row, i) => ({ pair: pairOf(row, `${stem}:${lines[i] ?? 0}`), line: lines[i] ?? 0 }));
}

function faultOf(pair: ReadPair, seen: Set<string>): Fault | undefined {
  if (pair.chosen.trim() === "" || pair.rejected.trim() === "") return "empty";
  if (pair.chosen === pair.rejected) return "same";
  const key = JSON.stringify([pair.prompt, pair.chosen, pair.rejected]);
  if (seen.has(key)) return "duplicate";
  seen.add(key);
  return undefined;
}

/** How many rows a file that was made here still lacks. */
function missingFrom(path: string, rows: number, strict: boolean | undefined): number {
  if (!existsSync(path) || extname(path) !== ".jsonl") return 0;
  const made = readMadeWith(path);
  if (!made) return 0;
  const expected = chunksOf(made.prompts.count, made.rowsPerChunk, made.shard ?? undefined).flat().length;
  if (strict && rows < expected) {
    throw new UserError(`${path} has ${rows} of ${expected} rows: finish it with \`alignscope pairs make\``);
  }
  return Math.max(0, expected - rows);
}
