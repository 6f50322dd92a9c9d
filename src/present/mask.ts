import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "@alignscope/base/paths";

/** Whether offensive words are written out: the caller's word, else the environment's, else they are masked. */
export interface MaskOptions {
  /** true writes every word out. Default: the environment variable ALIGNSCOPE_SHOW_WORDS is "1" or "true". */
  show?: boolean;
}

/** The file with the words; its head explains the notation. */
const wordFile = (): string => join(projectRoot(), "data", "words", "offensive.txt");

interface WordList {
  /** whole words, with their plain inflections */
  exact: Set<string>;
  prefixes: string[];
  anywhere: string[];
  allowedExact: Set<string>;
  allowedPrefixes: string[];
}

/** Parses the notation of data/words/offensive.txt. Throws on a line it does not understand. */
export function parseWordList(text: string): WordList {
  const list: WordList = {
    exact: new Set(),
    prefixes: [],
    anywhere: [],
    allowedExact: new Set(),
    allowedPrefixes: [],
  };
  const addInflected = (set: Set<string>, word: string): void => {
    set.add(word).add(`${word}s`);
    if (/(s|x|z|ch|sh)$/.test(word)) set.add(`${word}es`);
  };
  text.split("\n").forEach((raw, index) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return;
    const match = /^(!?)(\*?)(\p{Ll}+)(\*?)$/u.exec(line);
    const [, allowed, anywhere, word = "", prefix] = match ?? [];
    if (!match || (anywhere && (!prefix || allowed))) {
      throw new Error(
        `offensive.txt line ${index + 1}: got "${line}", expected word, word*, *word*, !word or !word*`,
      );
    }
    if (anywhere) list.anywhere.push(word);
    else if (prefix) (allowed ? list.allowedPrefixes : list.prefixes).push(word);
    else addInflected(allowed ? list.allowedExact : list.exact, word);
  });
  return list;
}

let loaded: WordList | undefined;

function words(): WordList {
  return (loaded ??= parseWordList(readFileSync(wordFile(), "utf8")));
}

function matches(word: string, list: WordList): boolean {
  if (list.allowedExact.has(word) || list.allowedPrefixes.some((start) => word.startsWith(start)))
    return false;
  return (
    list.exact.has(word) ||
    list.prefixes.some((start) => word.startsWith(start)) ||
    list.anywhere.some((part) => word.includes(part))
  );
}

/** Whether one word (letters only, any case) is on the list; drawn-out spellings count as the word they draw out. */
export function isOffensive(word: string): boolean {
  const list = words();
  const lower = word.normalize("NFKC").toLowerCase();
  if (matches(lower, list)) return true;
  if (!/(\p{L})\1\1/u.test(lower)) return false;
  return [1, 2].some((times) =>
    matches(
      lower.replace(/(\p{L})\1{2,}/gu, (_run, letter: string) => letter.repeat(times)),
      list,
    ),
  );
}

/** First and last letter stay from four letters on, the first alone below: the reader sees which word, not the word. */
function stars(word: string): string {
  const letters = [...word];
  if (letters.length < 4) return `${letters[0] ?? ""}${"*".repeat(letters.length - 1)}`;
  return `${letters[0]}${"*".repeat(letters.length - 2)}${letters[letters.length - 1]}`;
}

/** The setting of `options`, else of the environment. */
function wordsShown(options: MaskOptions = {}): boolean {
  return options.show ?? ["1", "true"].includes(process.env["ALIGNSCOPE_SHOW_WORDS"] ?? "");
}

/**
 * `text` with offensive words starred out; everything else, spaces and case included, stays.
 *
 * A word is a run of letters: a leading space of a token, punctuation or an underscore do not hide one, and an ordinary
 * word that merely contains one (Scunthorpe, class, assess) is left alone.
 */
export function mask(text: string, options: MaskOptions = {}): string {
  if (wordsShown(options)) return text;
  return text.replace(/\p{L}+/gu, (word) => (isOffensive(word) ? stars(word) : word));
}

/**
 * Masks one text column so that different values stay different: two words that look alike behind their stars get
 * superscript numbers. A picture needs this, where equal labels would fall on one place of an axis.
 */
export function maskDistinct(values: Iterable<string>, options: MaskOptions = {}): Map<string, string> {
  const masked = new Map<string, string>();
  const taken = new Set<string>();
  const all = [...new Set(values)];
  // values that need no mask keep their name, whatever comes before them
  const plain = all.filter((value) => mask(value, options) === value);
  for (const value of [...plain, ...all.filter((value) => mask(value, options) !== value)]) {
    const base = mask(value, options);
    let name = base;
    for (let number = 2; taken.has(name); number++) {
      name = base + String(number).replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? digit);
    }
    taken.add(name);
    masked.set(value, name);
  }
  return masked;
}
