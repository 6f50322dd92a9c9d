import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { UserError } from "../data/errors";

/*
 * Which rows of the public data sets the lab model and the scorer may learn from, and which are kept for measuring.
 * Every decision is a hash of the row's own text and a seed, never of its position: it survives re-ordering, another
 * mirror, or a reader that skips rows, and the corpus and the scorer agree without exchanging lists.
 */

/** The seed of the committed model and scorer; other seeds give other hold-outs. */
export const LAB_SEED = 2024;

/** Shares of each data set that no training of this project sees. */
export const HELD_OUT_SHARE = { jigsaw: 0.2, wikiText: 0.2, wikiSamples: 0.5, rtp: 0.2 } as const;

/** 32 bits of FNV-1a over UTF-16 units, finished with murmur3's mixer so that similar texts land far apart. */
export function hashText(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number in [0, 1) that depends on the text's words alone (not on case, punctuation or spacing) and the seed. */
export function hashFraction(text: string, seed: number): number {
  return hashText(normaliseWords(text), seed) / 2 ** 32;
}

/** A seeded generator of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Shuffles in place (Fisher–Yates) and returns the array. */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const kept = items[i] as T;
    items[i] = items[j] as T;
    items[j] = kept;
  }
  return items;
}

/** Lower-case words separated by single blanks: the form in which texts are compared. */
export function normaliseWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/['’‘]/g, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** Whether a Jigsaw comment (its text as the CSV reader gives it) is kept for measuring. */
export const isHeldOutJigsaw = (text: string, seed = LAB_SEED): boolean =>
  hashFraction(text, seed ^ 0x4a16) < HELD_OUT_SHARE.jigsaw;

/** Whether a RealToxicityPrompts row, named by its prompt's text, is kept for measuring a scorer. */
export const isHeldOutRtp = (prompt: string, seed = LAB_SEED): boolean =>
  hashFraction(prompt, seed ^ 0x2791) < HELD_OUT_SHARE.rtp;

/** Whether a row of wiki_samples, named by its prompt's text, is kept for measuring F1. */
export const isHeldOutWikiSample = (prompt: string, seed = LAB_SEED): boolean =>
  hashFraction(prompt, seed ^ 0x3b5d) < HELD_OUT_SHARE.wikiSamples;

/** Whether an article of the WikiText-2 test split, named by its title, is kept for measuring perplexity. */
export const isHeldOutWikiText = (title: string, seed = LAB_SEED): boolean =>
  hashFraction(title, seed ^ 0x51c7) < HELD_OUT_SHARE.wikiText;

/** An article of WikiText: its title, and its text with everything in WikiText's own spacing, title line included. */
export interface WikiTextArticle {
  title: string;
  text: string;
}

/**
 * The articles of a WikiText file. An article begins at a line ` = Title = ` with blank lines around it; lines with
 * more signs (` = = Section = = `) are headings inside one, and so is a lone `=` in a formula.
 */
export function wikiTextArticles(file: string): WikiTextArticle[] {
  const lines = file.split("\n");
  const articles: { title: string; lines: string[] }[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const heading = /^ = ([^=]+) = ?$/.exec(line);
    const alone = (lines[i - 1] ?? "").trim() === "" && (lines[i + 1] ?? "").trim() === "";
    if (heading && alone) articles.push({ title: (heading[1] as string).trim(), lines: [] });
    articles.at(-1)?.lines.push(line);
  }
  return articles.map((article) => ({ title: article.title, text: article.lines.join("\n") }));
}

/** A Jigsaw comment as the CSV carries it. */
export interface JigsawRow {
  text: string;
  toxic: boolean;
}

/** Rows of `jigsaw-balanced.csv` (text, label; no header). */
export function readJigsaw(path: string): JigsawRow[] {
  const rows = parse(readFileSync(path, "utf8"), {
    relax_column_count: true,
    skip_empty_lines: true,
  }) as string[][];
  return rows.map((row) => ({ text: row[0] ?? "", toxic: row[1] === "1" }));
}

/** Rows of a JSON-lines file. */
export function readJsonLines<T>(path: string): T[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as T);
}

/** A row of RealToxicityPrompts: Perspective's scores stand beside each text. */
export interface RtpRow {
  prompt: { text: string; toxicity?: number | null };
  continuation: { text: string; toxicity?: number | null };
}

/** Strings of a one-dimensional little-endian NumPy unicode array (`<U...`). */
function readNpyStrings(path: string): string[] {
  const bytes = readFileSync(path);
  const headerEnd = 10 + bytes.readUInt16LE(8);
  const width = Number(/'descr': '<U(\d+)'/.exec(bytes.toString("latin1", 10, headerEnd))?.[1]);
  if (!(width > 0)) throw new UserError(`${path} is no NumPy array of strings (expected a '<U...' dtype)`);
  const strings: string[] = [];
  for (let row = headerEnd; row < bytes.length; row += 4 * width) {
    const points: number[] = [];
    for (let i = 0; i < width; i++) points.push(bytes.readUInt32LE(row + 4 * i));
    strings.push(String.fromCodePoint(...points.filter((point) => point > 0)));
  }
  return strings;
}

/** What is kept for measuring, by the data set it comes from. */
export interface HoldOuts {
  /** All challenge prompts, scored or not, and the prompts of the paper's figure 1. */
  prompts: string[];
  wikiText: WikiTextArticle[];
  wikiSamples: { prompt: string; gold: string }[];
  jigsaw: JigsawRow[];
}

/** A file of the mirror, or an error that says which one is missing. */
export function mirrorFile(mirror: string, name: string): string {
  const path = join(mirror, name);
  if (existsSync(path)) return path;
  throw new UserError(
    `no ${name} in the data mirror ${mirror} (name the mirror's folder in ALIGNSCOPE_MIRROR)`,
  );
}

/** Every held-out text of a mirror folder. */
export function loadHoldOuts(mirror: string, seed = LAB_SEED): HoldOuts {
  const file = (name: string): string => mirrorFile(mirror, name);
  return {
    prompts: [
      ...readJsonLines<{ prompt: string }>(file("challenge_prompts.jsonl")).map((row) => row.prompt),
      ...readJsonLines<RtpRow>(file("rtp-challenge-scored.jsonl")).map((row) => row.prompt.text),
      ...readNpyStrings(file("logit-lens-prompts.npy")),
    ],
    wikiText: wikiTextArticles(readFileSync(file("wikitext-2-raw.test.txt"), "utf8")).filter((article) =>
      isHeldOutWikiText(article.title, seed),
    ),
    wikiSamples: readJsonLines<{ prompt: string; gold: string }>(file("wiki_samples.jsonl")).filter((row) =>
      isHeldOutWikiSample(row.prompt, seed),
    ),
    jigsaw: readJigsaw(file("jigsaw-balanced.csv")).filter((row) => isHeldOutJigsaw(row.text, seed)),
  };
}

/** A run of this many words shared with a held-out prompt counts as containing it; a shorter prompt counts whole. */
const PROMPT_RUN = 8;

/** A run of this many words shared with any other held-out text counts as a copy of a part of it. */
const TEXT_RUN = 13;

/**
 * Tells whether a text repeats a held-out one: 8 words in a row of a challenge prompt (or all of a shorter one), or
 * 13 words in a row of a held-out article, passage or comment (or all of a shorter one, if the text is nothing else).
 */
export class OverlapIndex {
  private readonly runs = new Map<number, Set<string>>();
  private readonly wholes = new Set<string>();

  constructor(holdOuts: HoldOuts) {
    for (const prompt of holdOuts.prompts) this.add(prompt, PROMPT_RUN, true);
    for (const article of holdOuts.wikiText) {
      for (const line of article.text.split("\n"))
        if (!line.startsWith(" =")) this.add(line, TEXT_RUN, false);
    }
    for (const row of holdOuts.wikiSamples) this.add(`${row.prompt} ${row.gold}`, TEXT_RUN, false);
    for (const row of holdOuts.jigsaw) this.add(row.text, TEXT_RUN, false);
  }

  private add(text: string, length: number, wholeInside: boolean): void {
    const whole = normaliseWords(text);
    if (whole === "") return;
    const words = whole.split(" ");
    if (words.length < length) {
      if (wholeInside) this.runsOf(words.length).add(whole);
      else this.wholes.add(whole);
      return;
    }
    const runs = this.runsOf(length);
    for (let i = 0; i + length <= words.length; i++) runs.add(words.slice(i, i + length).join(" "));
  }

  private runsOf(length: number): Set<string> {
    const found = this.runs.get(length) ?? new Set<string>();
    this.runs.set(length, found);
    return found;
  }

  /** Whether `text` repeats a held-out text. */
  overlaps(text: string): boolean {
    const whole = normaliseWords(text);
    if (this.wholes.has(whole)) return true;
    const words = whole.split(" ");
    for (const [length, runs] of this.runs) {
      for (let i = 0; i + length <= words.length; i++) {
        if (runs.has(words.slice(i, i + length).join(" "))) return true;
      }
    }
    return false;
  }
}
