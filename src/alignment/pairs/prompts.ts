import { extname } from "node:path";
import { checkPositive } from "@alignscope/base/checks";
import { UserError } from "@alignscope/base/errors";
import type { LocateOptions } from "../../data/locate.js";
import { mulberry32, shuffled } from "@alignscope/base/random";
import { fields, readJsonl, readText } from "../../data/readers.js";
import { readZipText } from "../../data/zip.js";
import type { Tokenizer } from "../../model/tokenizer.js";
import { placeOf } from "./place.js";
import { wikitextSentences } from "./wikitext-sentences.js";

export interface PromptOptions {
  tokenizer: Tokenizer;
  /** No more than so many; all unless said otherwise. */
  count?: number;
  /** Order; the same seed gives the same prompts. */
  seed: number;
  /** Longer ones are cut before the word that would go beyond; 32 unless said otherwise. */
  maxPromptTokens?: number;
  /** Shorter texts are left out; 5 words unless said otherwise. */
  minWords?: number;
  /** Which split of an archive of WikiText; the train split unless said otherwise. */
  split?: "train" | "valid" | "test";
  locate?: LocateOptions;
}

export interface Prompts {
  prompts: string[];
  report: {
    source: string;
    /** Texts in the source: rows, or sentences. */
    texts: number;
    /** Left out: too short, with `<unk>` in it, the same as an earlier one (as a whole or after the cut). */
    short: number;
    unknown: number;
    duplicates: number;
    /** How many of the prompts were cut to `maxPromptTokens`. */
    cut: number;
    /** One line when there are fewer prompts than asked for. */
    note?: string;
  };
}

/**
 * Prompts to make pairs from. The paper takes sentences of WikiText-2 (section 4.2) and says neither how long they are
 * nor of which split; here they are the train split's where the archive is registered (`wikitext-2-raw`), since
 * perplexity is measured on the test split.
 *
 * @param nameOrPath a name of the registry or a path: WikiText (an archive or one split), `{prompt}` rows in `.jsonl`, or
 *   text with a prompt on each line
 * @throws UserError when it cannot be found or read, or nothing usable is in it
 * @example const { prompts } = await readPairPrompts("lab-prefixes", { tokenizer, seed: 42 });
 */
export async function readPairPrompts(nameOrPath: string, options: PromptOptions): Promise<Prompts> {
  const { count = Infinity, seed, maxPromptTokens = 32, minWords = 5 } = options;
  const numbers = Object.entries({ count, maxPromptTokens, minWords });
  checkPositive(Object.fromEntries(numbers.filter(([, value]) => value !== Infinity)));
  const source = await placeOf(nameOrPath, options.locate);
  const texts = textsOf(source, options.split ?? "train");
  const long = texts.filter((text) => text.split(/\s+/).length >= minWords);
  const known = long.filter((text) => !/<unk>/.test(text));
  const distinct = [...new Set(known)];
  let duplicates = known.length - distinct.length;
  let cut = 0;
  const prompts = new Set<string>();
  for (const text of shuffled(distinct, mulberry32(seed))) {
    if (prompts.size >= count) break;
    const prompt = cutToTokens(text, maxPromptTokens, options.tokenizer);
    if (prompts.has(prompt)) duplicates += 1;
    else if (prompt !== text) cut += 1;
    prompts.add(prompt);
  }
  if (prompts.size === 0) {
    throw new UserError(`${source}: no prompt of ${minWords} words or more among ${texts.length} texts`);
  }
  const few = prompts.size < count && count !== Infinity;
  return {
    prompts: [...prompts],
    report: {
      source: nameOrPath,
      texts: texts.length,
      short: texts.length - long.length,
      unknown: long.length - known.length,
      duplicates,
      cut,
      ...(few
        ? { note: `${nameOrPath} has ${prompts.size} different prompts, ${count} were asked for` }
        : {}),
    },
  };
}

function textsOf(path: string, split: "train" | "valid" | "test"): string[] {
  if (extname(path) === ".jsonl") {
    return readJsonl<{ prompt: string }>(path, { validate: fields({ prompt: "string" }) }).map((row) =>
      row.prompt.trim(),
    );
  }
  const text = extname(path) === ".zip" ? readZipText(path, `wiki.${split}.raw`) : readText(path);
  if (/^\s*= [^=].* =\s*$/m.test(text.slice(0, 1000))) return wikitextSentences(text);
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/**
 * A text cut before the word that would exceed the number of tokens, so that its tokens are the first ones of the whole
 * text's; within the word where a single one is longer.
 */
function cutToTokens(text: string, maxTokens: number, tokenizer: Tokenizer): string {
  const ids = tokenizer.encode(text);
  if (ids.length <= maxTokens) return text;
  for (let end = maxTokens; end > 0; end -= 1) {
    if (/^\s/.test(tokenizer.tokenText(ids[end] ?? 0))) return tokenizer.decode(ids.slice(0, end));
  }
  return tokenizer.decode(ids.slice(0, maxTokens)).replace(/\uFFFD+$/u, "");
}
