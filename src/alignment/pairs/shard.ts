/** One of several equal parts of the work: the chunks `index − 1`, `index − 1 + of`, … */
export interface Shard {
  /** From 1. */
  index: number;
  of: number;
}

/** Where a shard of the file is written: `pairs.jsonl` → `pairs.shard-2-of-4.jsonl`. */
export function shardPath(path: string, shard: Shard | undefined): string {
  return shard === undefined
    ? path
    : `${path.replace(/\.jsonl$/, "")}.shard-${shard.index}-of-${shard.of}.jsonl`;
}

/** The rows that make up each chunk of a shard, in order: chunks are whole, whatever the number of shards. */
export function chunksOf(
  total: number,
  rowsPerChunk: number,
  shard: Shard = { index: 1, of: 1 },
): number[][] {
  const chunks: number[][] = [];
  for (let chunk = shard.index - 1; chunk * rowsPerChunk < total; chunk += shard.of) {
    const start = chunk * rowsPerChunk;
    chunks.push(Array.from({ length: Math.min(rowsPerChunk, total - start) }, (_, i) => start + i));
  }
  return chunks;
}
