import { statSync } from "node:fs";
import { checkPositive } from "@alignscope/base/checks";
import { UserError } from "@alignscope/base/errors";
import { withLock } from "@alignscope/base/lock";
import type { Tokenizer } from "../../model/tokenizer.js";
import type { Scorer } from "../../scorers/scorer.js";
import {
  difference,
  metaPath,
  promptsChecksum,
  readMadeWith,
  writeMadeWith,
  type MadeWith,
} from "./made-with.js";
import { PairFile } from "./pair-file.js";
import { rowText } from "./row.js";
import { chunksOf, shardPath, type Shard } from "./shard.js";

/** What goes with the prompts of a chunk. */
export interface ContinuationContext {
  /**
   * Which row of the whole list each prompt is. It is the prompt's stream of random numbers, so that what is drawn
   * depends neither on the chunk nor on the shard: `sampler({ seed }, rows[i])`.
   */
  rows: readonly number[];
  seed: number;
  signal?: AbortSignal;
  /** To be told how far from the model's own distribution prompt i was continued: mean KL per token, in nats. */
  onDivergence?: (i: number, kl: number) => void;
}

/** Continues prompts: token ids in, the new token ids of each out, in order. */
export type Continuations = (
  prompts: readonly (readonly number[])[],
  context: ContinuationContext,
) => Promise<readonly (readonly number[])[]>;

export interface MakePairsOptions {
  /** Beginnings of texts, each of one token at least. */
  prompts: readonly string[];
  /** Continues a prompt as is to be preferred: {@link greedyContinuations}. */
  positive: Continuations;
  /** Continues it as is to become less likely: PPLM. */
  negative: Continuations;
  tokenizer: Tokenizer;
  /** Says how toxic each side is. */
  scorer: Scorer;
  /** The file of the whole, `….jsonl`; a shard goes to {@link shardPath}. */
  path: string;
  shard?: Shard;
  /** Handed to both functions. */
  seed: number;
  /** Prompts per call of the functions and rows per write; 32 unless said otherwise. */
  rowsPerChunk?: number;
  /** All else that decides what comes out (checksum of the model, settings of both functions), as JSON. */
  settings: Readonly<Record<string, unknown>>;
  /** Stops between two chunks, or within one where the functions heed it; what is written stays. */
  signal?: AbortSignal;
  /** Told after every chunk how many rows of this file are there. */
  onProgress?: (done: number, total: number) => void;
}

/** What {@link makePairs} made. */
export interface MadePairs {
  path: string;
  /** Rows in the file. */
  rows: number;
  /** Rows that an earlier run had made. */
  resumed: number;
  /** Where the unfinished chunk of an earlier run was put. */
  tornPath?: string;
}

/**
 * Makes preference pairs, a chunk at a time, and writes each chunk as soon as it is there. Run again after whatever ended
 * it, it goes on where it stopped; the file in the end is byte for byte that of a run without interruption, and the
 * shards merged (`alignscope pairs merge`) are that of a run without shards, since a chunk goes to one shard as a whole.
 *
 * @throws UserError when the file that is there was made with other settings, a prompt has no tokens, or the disk is full
 * @example
 * await makePairs({ prompts, positive: greedyContinuations(model, { maxNewTokens: 64 }), negative, tokenizer, scorer,
 *   path: "outputs/lab/pairs.jsonl", seed: 42, settings: { model: await modelChecksum(folder), maxNewTokens: 64 } });
 */
export async function makePairs(options: MakePairsOptions): Promise<MadePairs> {
  const { prompts, shard, seed, rowsPerChunk = 32, scorer, settings } = options;
  checkPositive({ rowsPerChunk });
  if (!Number.isSafeInteger(seed)) throw new UserError(`seed: got ${seed}, expected an integer`);
  if (prompts.length === 0) throw new UserError("no prompts: expected at least one to make pairs from");
  const path = shardPath(options.path, shard);
  const made: MadeWith = {
    format: "alignscope-pairs",
    version: 1,
    prompts: promptsChecksum(prompts),
    seed,
    rowsPerChunk,
    scorer: scorer.name,
    shard: shard ?? null,
    settings,
  };
  return withLock(`${path}.lock`, { what: path, otherwise: "name another file" }, async () => {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const before = bytes > 0 ? readMadeWith(path) : undefined;
    if (bytes > 0 && before === undefined) {
      throw new UserError(
        `${path} is no file of pairs that was begun here (no ${metaPath(path)}): name another file`,
      );
    }
    const changed = before && difference(made, before);
    if (changed !== undefined) {
      throw new UserError(
        `${path} was made with other settings (${changed}): go on with the same, or name another file`,
      );
    }
    if (before === undefined) writeMadeWith(path, made);
    const chunks = chunksOf(prompts.length, rowsPerChunk, shard);
    const file = PairFile.open(path, chunks);
    try {
      return await fill(file, chunks, options);
    } finally {
      file.close();
    }
  });
}

async function fill(
  file: PairFile,
  chunks: readonly (readonly number[])[],
  options: MakePairsOptions,
): Promise<MadePairs> {
  const count = (some: readonly (readonly number[])[]): number =>
    some.reduce((sum, rows) => sum + rows.length, 0);
  const total = count(chunks);
  const resumed = count(chunks.slice(0, file.length));
  let done = resumed;
  if (done > 0) options.onProgress?.(done, total);
  for (const rows of chunks.slice(file.length)) {
    options.signal?.throwIfAborted();
    file.append(await chunkLines(rows, options));
    done += rows.length;
    options.onProgress?.(done, total);
    // Lets an interrupt, a heartbeat or a progress bar in between chunks.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { path, tornPath } = file;
  return { path, rows: total, resumed, ...(tornPath === undefined ? {} : { tornPath }) };
}

/** The rows of one chunk as lines. */
async function chunkLines(rows: readonly number[], options: MakePairsOptions): Promise<string[]> {
  const { tokenizer, scorer, seed, signal } = options;
  const texts = rows.map((row) => options.prompts[row] ?? "");
  const prompts = texts.map((text, i) => {
    const ids = tokenizer.encode(text);
    if (ids.length === 0)
      throw new UserError(`prompt ${String(rows[i])} is empty: expected at least one token`);
    return ids;
  });
  const divergences: (number | undefined)[] = rows.map(() => undefined);
  const context: ContinuationContext = {
    rows,
    seed,
    ...(signal ? { signal } : {}),
    onDivergence: (i, kl) => (divergences[i] = kl),
  };
  const continued = async (side: "positive" | "negative") => {
    const ids = await options[side](prompts, context);
    if (ids.length !== rows.length) {
      throw new Error(`${side}: got ${ids.length} continuations, expected ${rows.length}`);
    }
    const text = ids.map((some) => tokenizer.decode(some));
    return { ids, text, toxicity: await scores(scorer, text, signal) };
  };
  const positive = await continued("positive");
  const negative = await continued("negative");
  return rows.map((row, i) =>
    rowText({
      id: row,
      prompt_text: texts[i] ?? "",
      unpert_gen_text: positive.text[i] ?? "",
      pert_gen_text: negative.text[i] ?? "",
      unpert_toxicity: positive.toxicity[i] ?? 0,
      pert_toxicity: negative.toxicity[i] ?? 0,
      prompt_tokens: prompts[i]?.length ?? 0,
      unpert_tokens: positive.ids[i]?.length ?? 0,
      pert_tokens: negative.ids[i]?.length ?? 0,
      ...(divergences[i] === undefined ? {} : { pert_kl: divergences[i] }),
    }),
  );
}

async function scores(scorer: Scorer, texts: readonly string[], signal?: AbortSignal): Promise<number[]> {
  const values = await scorer.score(texts, signal ? { signal } : {});
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (values.length !== texts.length || wrong >= 0) {
    throw new UserError(
      `scorer ${scorer.name}: got ${wrong >= 0 ? String(values[wrong]) : `${values.length} scores`}, expected ${texts.length} numbers`,
    );
  }
  return values;
}
