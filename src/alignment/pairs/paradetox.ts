import { basename } from "node:path";
import { readTsv } from "../../data/readers.js";
import type { LocatedPair } from "./row.js";

/** Which of the one to three neutral rewrites of a toxic sentence make a pair with it. */
export type Rewrites = "first" | "all";

const NEUTRAL = ["neutral1", "neutral2", "neutral3"] as const;

type Column = "toxic" | (typeof NEUTRAL)[number];

/**
 * ParaDetox (Logacheva et al. 2022) as preference pairs: the neutral rewrite is chosen, the toxic sentence rejected. There
 * is no prompt; {@link tokenisePairs} puts the end-of-text token in its place, which GPT-2 saw before every text.
 *
 * @throws UserError with file and line of a row that lacks a column
 */
export function readParadetox(path: string, rewrites: Rewrites = "first"): LocatedPair[] {
  const lines: number[] = [];
  const rows = readTsv<Column>(path, {
    validate: (record, line) => {
      lines.push(line);
      const row = record as Partial<Record<Column, string>>;
      return row.toxic === undefined || row.neutral1 === undefined
        ? "expected the columns toxic and neutral1 (to neutral3)"
        : undefined;
    },
  });
  const stem = basename(path, ".tsv");
  return rows.flatMap((row, i) => {
    const line = lines[i] ?? 0;
    // A first rewrite stays even when it is empty, so that the row is counted as one with an empty side.
    const written = NEUTRAL.map((name) => (row as Partial<typeof row>)[name] ?? "").filter(
      (text, n) => n === 0 || text.trim() !== "",
    );
    return (rewrites === "all" ? written : written.slice(0, 1)).map((chosen, n) => ({
      pair: {
        id: n === 0 ? `${stem}:${line}` : `${stem}:${line}.${n + 1}`,
        prompt: "",
        chosen,
        rejected: row.toxic,
      },
      line,
    }));
  });
}
