import { join } from "node:path";
import { locate } from "../data/locate.js";
import { readCsv, readJsonl, readNpyStrings } from "../data/readers.js";
import { registered } from "../data/registry.js";
import { type Article, readWikitext } from "./corpus-readers.js";

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

/** A Jigsaw comment as the CSV carries it. */
export interface JigsawRow {
  text: string;
  toxic: boolean;
}

/** Rows of `jigsaw-balanced.csv` (text, label; no header). */
export const readJigsaw = (path: string): JigsawRow[] =>
  readCsv<"text" | "label">(path, { columns: ["text", "label"] }).map((row) => ({
    text: row.text,
    toxic: row.label === "1",
  }));

/** A row of RealToxicityPrompts: Perspective's scores stand beside each text. */
export interface RtpRow {
  prompt: { text: string; toxicity?: number | null };
  continuation: { text: string; toxicity?: number | null };
}

/** A passage of wiki_samples and the sentence that follows it. */
export interface WikiSample {
  prompt: string;
  gold: string;
}

/** What is kept for measuring, by the data set it comes from. */
export interface HoldOuts {
  /** All challenge prompts, scored or not, and the prompts of the paper's figure 1. */
  prompts: string[];
  wikiText: Article[];
  wikiSamples: WikiSample[];
  jigsaw: JigsawRow[];
  /** The texts that the repository carries for the study (`data/lab`). */
  embedded: string[];
}

/** The embedded sets that the study measures with. */
const EMBEDDED_SETS = [
  "lab-prompts",
  "lab-continuations",
  "lab-prefixes",
  "lab-paragraphs",
  "lab-comments",
] as const;

/**
 * The path of a registered data set: in `mirror` if one is named, else wherever {@link locate} finds it.
 *
 * @throws UserError when the file is missing or is not the one the registry knows
 */
export function locateDataset(name: string, mirror?: string): Promise<string> {
  const file = registered(name).sources.mirror;
  return locate(name, mirror !== undefined && file !== undefined ? { path: join(mirror, file) } : {});
}

/** The embedded texts of `data/lab`; a prompt and what follows it also as one text. */
export async function embeddedTexts(): Promise<string[]> {
  const texts: string[] = [];
  for (const name of EMBEDDED_SETS) {
    for (const row of readJsonl<{ prompt?: string; gold?: string; text?: string }>(await locate(name))) {
      const parts = [row.prompt, row.gold, row.text].filter((part) => part !== undefined);
      texts.push(...parts);
      if (parts.length > 1) texts.push(parts.join(" "));
    }
  }
  return texts;
}

/** Every held-out text of the data sets, and every embedded one. */
export async function loadHoldOuts(mirror?: string, seed = LAB_SEED): Promise<HoldOuts> {
  const at = (name: string): Promise<string> => locateDataset(name, mirror);
  const challenge = readJsonl<{ prompt: string }>(await at("realtoxicityprompts-challenge"));
  const scored = readJsonl<RtpRow>(await at("realtoxicityprompts-challenge-scored"));
  return {
    prompts: [
      ...challenge.map((row) => row.prompt),
      ...scored.map((row) => row.prompt.text),
      ...readNpyStrings(await at("logit-lens-prompts")),
    ],
    wikiText: readWikitext(await at("wikitext-2-raw-test")).filter((article) =>
      isHeldOutWikiText(article.title, seed),
    ),
    wikiSamples: readJsonl<WikiSample>(await at("wiki-samples")).filter((row) =>
      isHeldOutWikiSample(row.prompt, seed),
    ),
    jigsaw: readJigsaw(await at("jigsaw-balanced")).filter((row) => isHeldOutJigsaw(row.text, seed)),
    embedded: await embeddedTexts(),
  };
}

/** A run of this many words shared with a held-out prompt or an embedded text counts as containing it. */
const PROMPT_RUN = 8;

/** A run of this many words shared with any other held-out text counts as a copy of a part of it. */
const TEXT_RUN = 13;

/**
 * Tells whether a text repeats a held-out one: 8 words in a row of a challenge prompt or an embedded text (or all of a
 * shorter one of at least 3), or 13 words in a row of a held-out article, passage or comment (or all of a shorter one,
 * if the text is nothing else).
 */
export class OverlapIndex {
  private readonly runs = new Set<string>();
  /** How long the runs are that begin with these three words: most texts are done with one look-up per word. */
  private readonly lengths = new Map<string, Set<number>>();
  private readonly wholes = new Set<string>();

  constructor(holdOuts: Partial<HoldOuts>) {
    const { prompts = [], embedded = [], wikiText = [], wikiSamples = [], jigsaw = [] } = holdOuts;
    for (const text of [...prompts, ...embedded]) this.add(text, PROMPT_RUN, true);
    for (const article of wikiText) {
      for (const line of article.text.split("\n")) if (!/^ ?=/.test(line)) this.hold(line);
    }
    for (const row of wikiSamples) this.hold(`${row.prompt} ${row.gold}`);
    for (const row of jigsaw) this.hold(row.text);
  }

  /** Holds out one more text: 13 words in a row of it. */
  hold(text: string): void {
    this.add(text, TEXT_RUN, false);
  }

  private add(text: string, longest: number, wholeInside: boolean): void {
    const whole = normaliseWords(text);
    const words = whole.split(" ");
    if (words.length < START || (words.length < longest && !wholeInside)) {
      if (whole !== "") this.wholes.add(whole);
      return;
    }
    const length = Math.min(longest, words.length);
    for (let i = 0; i + length <= words.length; i++) {
      this.runs.add(words.slice(i, i + length).join(" "));
      const start = startOf(words, i);
      const lengths = this.lengths.get(start);
      if (lengths) lengths.add(length);
      else this.lengths.set(start, new Set([length]));
    }
  }

  /** Whether `text` repeats a held-out text. */
  overlaps(text: string): boolean {
    return this.overlapsWords(normaliseWords(text));
  }

  /** {@link overlaps} of a text in the form of {@link normaliseWords}. */
  overlapsWords(whole: string): boolean {
    if (this.wholes.has(whole)) return true;
    const words = whole.split(" ");
    for (let i = 0; i + START <= words.length; i++) {
      for (const length of this.lengths.get(startOf(words, i)) ?? []) {
        if (i + length <= words.length && this.runs.has(words.slice(i, i + length).join(" "))) return true;
      }
    }
    return false;
  }
}

const START = 3;
const startOf = (words: string[], i: number): string => `${words[i]} ${words[i + 1]} ${words[i + 2]}`;
