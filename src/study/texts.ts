import { extname } from "node:path";
import {
  fields,
  locate,
  readCsv,
  readJsonl,
  readNpyStrings,
  readText,
  readWikitextRows,
  UserError,
} from "../data/index.js";
import type { PromptWithGold } from "../metrics/f1.js";
import type { LabelledText } from "../toxicity/probe.js";
import { mulberry32, shuffled } from "@alignscope/base/random";

/*
 * The texts that notebooks ask for by a name from the registry, or by the path of a file of one's own. What a file holds
 * follows from its extension, so that a name in a profile is all that changes between the small run and the paper's.
 */

/** Prompts to continue, in the file's order: JSON Lines with `prompt`, or a NumPy array of strings. */
export async function readPrompts(nameOrPath: string, { limit = Infinity } = {}): Promise<string[]> {
  const path = await locate(nameOrPath);
  if (extname(path) === ".npy") return readNpyStrings(path).slice(0, limit);
  const rows = readJsonl<{ prompt: string }>(path, { validate: fields({ prompt: "string" }) });
  return rows.slice(0, limit).map(({ prompt }) => prompt);
}

/** Passages with the text that really follows them: JSON Lines with `prompt` and `gold`. */
export async function readPassages(nameOrPath: string, { limit = Infinity } = {}): Promise<PromptWithGold[]> {
  const path = await locate(nameOrPath);
  return readJsonl<PromptWithGold>(path, { validate: fields({ prompt: "string", gold: "string" }) }).slice(
    0,
    limit,
  );
}

/**
 * Comments labelled toxic or not, shuffled: JSON Lines with `text` and `toxic`, or CSV without a header, (text, label).
 *
 * @param options how many, and in which order
 * @param options.limit at most so many, after shuffling
 */
export async function readComments(
  nameOrPath: string,
  { limit = Infinity, seed = 0 }: { limit?: number; seed?: number } = {},
): Promise<LabelledText[]> {
  const path = await locate(nameOrPath);
  const comments =
    extname(path) === ".csv"
      ? readCsv<"text" | "label">(path, { columns: ["text", "label"] }).map(({ text, label }, row) => ({
          text,
          toxic: labelOf(Number(label), path, row),
        }))
      : readJsonl<{ text: string; toxic: number }>(path, {
          validate: fields({ text: "string", toxic: "number" }),
        }).map(({ text, toxic }, row) => ({ text, toxic: labelOf(toxic, path, row) }));
  const filled = comments.filter(({ text }) => text.trim() !== "");
  return shuffled(filled, mulberry32(seed)).slice(0, limit);
}

function labelOf(label: number, path: string, row: number): 0 | 1 {
  if (label === 0 || label === 1) return label;
  throw new UserError(`${path}: record ${row + 1} has label ${label}, expected 0 or 1`);
}

/**
 * A text for perplexity: WikiText's rows, or the paragraphs of JSON Lines with `text`, joined by blank lines as the
 * official code joins them; any other text file as it is.
 */
export async function readPerplexityText(nameOrPath: string): Promise<string> {
  const path = await locate(nameOrPath);
  if (/wikitext/i.test(path)) return readWikitextRows(path).join("\n\n");
  if (extname(path) !== ".jsonl") return readText(path);
  const paragraphs = readJsonl<{ text: string }>(path, { validate: fields({ text: "string" }) });
  return paragraphs.map(({ text }) => text).join("\n\n");
}
