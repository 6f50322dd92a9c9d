import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../../src/base/paths.js";
import { readJsonl, readNpyStrings } from "../../src/data/readers.js";
import { mirror, withMirror } from "./helpers.js";

const LAB = join(projectRoot(), "data/lab");

type Row = Record<string, string | number>;
interface Comment extends Row {
  text: string;
  toxic: 0 | 1;
}

const prompts = readJsonl<{ prompt: string }>(join(LAB, "prompts.jsonl"));
const continuations = readJsonl<{ prompt: string; gold: string }>(join(LAB, "continuations.jsonl"));
const prefixes = readJsonl<{ prompt: string }>(join(LAB, "prefixes.jsonl"));
const paragraphs = readJsonl<{ title: string; text: string }>(join(LAB, "paragraphs.jsonl"));
const comments = readJsonl<Comment>(join(LAB, "comments.jsonl"));

/** The texts of each file, a continuation's prompt and gold one after the other. */
const TEXTS: Record<string, string[]> = {
  prompts: prompts.map((row) => row.prompt),
  continuations: continuations.map((row) => `${row.prompt} ${row.gold}`),
  prefixes: prefixes.map((row) => row.prompt),
  paragraphs: paragraphs.map((row) => row.text),
  comments: comments.map((row) => row.text),
};

/** Lower-cased words without punctuation: two texts with the same words are the same text. */
function words(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replace(/’/g, "'")
      .match(/[\p{L}\p{N}']+/gu) ?? []
  );
}

/** Words as a reader counts them: what stands between white space. */
function count(text: string): number {
  return text.split(/\s+/).length;
}

/** All runs of `length` successive words of a text. */
function runs(text: string, length: number): string[] {
  const all = words(text);
  return all.slice(0, Math.max(0, all.length - length + 1)).map((_, i) => all.slice(i, i + length).join(" "));
}

/** In how many of the texts each key occurs. */
function rowsPerKey(texts: string[], keysOf: (text: string) => string[]): Map<string, number> {
  const rows = new Map<string, number>();
  for (const text of texts) for (const key of new Set(keysOf(text))) rows.set(key, (rows.get(key) ?? 0) + 1);
  return rows;
}

/** The share of texts that have a key in common with another text. */
function shareWithACommonKey(texts: string[], keysOf: (text: string) => string[]): number {
  const rows = rowsPerKey(texts, keysOf);
  return texts.filter((text) => keysOf(text).some((key) => (rows.get(key) ?? 0) > 1)).length / texts.length;
}

const beginning = (text: string): string[] => [words(text).slice(0, 4).join(" ")];

/** The largest share of words that two texts have in common (Jaccard index of their sets of words). */
function closestPair(texts: string[]): { overlap: number; pair: [string, string] } {
  const sets = texts.map((text) => new Set(words(text)));
  let closest: { overlap: number; pair: [string, string] } = { overlap: 0, pair: ["", ""] };
  for (const [i, a] of sets.entries()) {
    for (const [j, b] of sets.slice(0, i).entries()) {
      let common = 0;
      for (const word of a) if (b.has(word)) common++;
      const overlap = common / (a.size + b.size - common);
      if (overlap > closest.overlap) closest = { overlap, pair: [texts[i] ?? "", texts[j] ?? ""] };
    }
  }
  return closest;
}

/** Different words per word, the mean over windows of 500 words: unlike that of a whole text, independent of its length. */
function typeTokenRatio(texts: string[]): number {
  const all = texts.flatMap(words);
  const windows = Math.floor(all.length / 500);
  const ratios = Array.from(
    { length: windows },
    (_, i) => new Set(all.slice(i * 500, (i + 1) * 500)).size / 500,
  );
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / windows;
}

const vocabulary = (texts: string[]): number => new Set(texts.flatMap(words)).size;
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("each embedded text file", () => {
  const atLeast = { prompts: 320, continuations: 320, prefixes: 704, paragraphs: 60, comments: 1300 };

  for (const [name, rows] of Object.entries(atLeast)) {
    it(`${name}.jsonl has ${String(rows)} rows or more, each as its schema says`, () => {
      const schema = JSON.parse(readFileSync(join(LAB, `schemas/${name}.schema.json`), "utf8")) as object;
      const validate = new Ajv2020({ allErrors: true }).compile(schema);
      const records = readJsonl<Row>(join(LAB, `${name}.jsonl`));
      expect(records.length).toBeGreaterThanOrEqual(rows);
      for (const record of records) {
        expect(validate(record), `${JSON.stringify(record)} ${JSON.stringify(validate.errors)}`).toBe(true);
      }
      expect(validate({})).toBe(false);
      expect(validate({ ...records[0], extra: 1 })).toBe(false);
    });

    it(`${name}.jsonl has clean text: one line, no white space around, single spaces, no control characters`, () => {
      for (const value of readJsonl<Row>(join(LAB, `${name}.jsonl`)).flatMap((row) => Object.values(row))) {
        if (typeof value === "number") continue;
        expect(value).toBe(value.trim());
        expect(value).not.toMatch(/\s\s|[\p{Cc}\p{Cf}\uFFFD]/u);
      }
    });

    it(`${name}.jsonl has no two rows of the same words`, () => {
      const seen = rowsPerKey(TEXTS[name] ?? [], (text) => [words(text).join(" ")]);
      expect([...seen].filter(([, n]) => n > 1)).toEqual([]);
      expect(seen.size).toBe(TEXTS[name]?.length);
    });
  }

  it("shares no row with another file, not even as a part of a longer text", () => {
    for (const [name, texts] of Object.entries(TEXTS)) {
      const others = Object.entries(TEXTS).filter(([other]) => other !== name);
      const all = ` ${others.flatMap(([, rows]) => rows.map((row) => words(row).join(" "))).join(" | ")} `;
      expect(texts.filter((text) => all.includes(` ${words(text).join(" ")} `))).toEqual([]);
    }
  });

  it.skipIf(mirror === undefined)(
    `has no row and no run of eight words from the mirror's files${withMirror}`,
    { timeout: 120_000 },
    () => {
      // Runs by their first four words, so that the mirror is read only once; the shortest texts are runs as a whole.
      const ours = new Map<string, string[]>();
      for (const text of Object.values(TEXTS).flat()) {
        const length = Math.min(8, words(text).length);
        for (const run of runs(text, length)) {
          const start = run.split(" ").slice(0, 4).join(" ");
          ours.set(start, [...(ours.get(start) ?? []), run]);
        }
      }
      const found: string[] = [];
      let read = 0;
      for (const file of readdirSync(mirror ?? "")) {
        const path = join(mirror ?? "", file);
        if (![".jsonl", ".csv", ".tsv", ".txt", ".npy"].includes(extname(file))) continue;
        const raw = extname(file) === ".npy" ? readNpyStrings(path).join("\n") : readFileSync(path, "utf8");
        const theirs = words(
          raw
            .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
            .replace(/\\[nrt"\\]/g, " "),
        );
        read += theirs.length;
        for (let i = 0; i + 4 <= theirs.length; i++) {
          for (const run of ours.get(theirs.slice(i, i + 4).join(" ")) ?? []) {
            if (theirs.slice(i, i + run.split(" ").length).join(" ") === run) found.push(`${file}: ${run}`);
          }
        }
      }
      expect(read).toBeGreaterThan(1_000_000);
      expect(found).toEqual([]);
    },
  );
});

describe("prompts that tempt an insult", () => {
  it("have 5 to 18 words and break off without punctuation", () => {
    for (const { prompt } of prompts) {
      expect(count(prompt), prompt).toBeGreaterThanOrEqual(5);
      expect(count(prompt), prompt).toBeLessThanOrEqual(18);
      expect(prompt).toMatch(/[a-z]$/i);
    }
  });

  it("are no template with other names", () => {
    const texts = prompts.map((row) => row.prompt);
    expect(shareWithACommonKey(texts, beginning)).toBeLessThanOrEqual(0.02);
    expect(closestPair(texts).overlap).toBeLessThan(0.5);
    expect(vocabulary(texts)).toBeGreaterThanOrEqual(900);
  });
});

describe("neutral prompts and their continuations", () => {
  it("have 12 to 30 words before and 10 to 25 words after the break", () => {
    for (const { prompt, gold } of continuations) {
      expect(count(prompt), prompt).toBeGreaterThanOrEqual(12);
      expect(count(prompt), prompt).toBeLessThanOrEqual(30);
      expect(count(gold), gold).toBeGreaterThanOrEqual(10);
      expect(count(gold), gold).toBeLessThanOrEqual(25);
    }
  });

  it("break off within a sentence at times, and then go on with a small letter", () => {
    const within = continuations.filter(({ prompt }) => !prompt.endsWith("."));
    expect(within.length).toBeGreaterThanOrEqual(50);
    expect(within.length).toBeLessThan(continuations.length / 2);
    for (const { gold } of within) expect(gold).toMatch(/^[a-z]/);
    for (const { prompt, gold } of continuations) if (prompt.endsWith(".")) expect(gold).toMatch(/^[A-Z]/);
  });

  it("are no template with other names", () => {
    const texts = TEXTS["continuations"] ?? [];
    expect(shareWithACommonKey(texts, beginning)).toBeLessThanOrEqual(0.01);
    expect(closestPair(texts).overlap).toBeLessThan(0.35);
    expect(vocabulary(texts)).toBeGreaterThanOrEqual(2200);
  });
});

describe("beginnings of encyclopaedic sentences", () => {
  const texts = prefixes.map((row) => row.prompt);

  it("have 8 to 16 words and break off in mid-sentence, so that a language model goes on", () => {
    for (const text of texts) {
      expect(count(text), text).toBeGreaterThanOrEqual(8);
      expect(count(text), text).toBeLessThanOrEqual(16);
      expect(text).toMatch(/^[A-Z].*[a-z]$/);
      expect(text).not.toMatch(/[.!?;:] /);
    }
  });

  it("have no run of eight words in common with the texts that perplexity and F1 are measured on", () => {
    const measured = new Set([...(TEXTS["paragraphs"] ?? []), ...(TEXTS["continuations"] ?? [])].flatMap((text) => runs(text, 8)));
    expect(texts.filter((text) => runs(text, 8).some((run) => measured.has(run)))).toEqual([]);
  });

  it("are no template with other names: few begin alike, subjects and grammar differ", () => {
    expect(shareWithACommonKey(texts, beginning)).toBeLessThanOrEqual(0.01);
    expect(closestPair(texts).overlap).toBeLessThan(0.5);
    expect(vocabulary(texts)).toBeGreaterThanOrEqual(2200);
    expect(texts.filter((text) => text.startsWith("The ")).length / texts.length).toBeLessThan(0.4);
  });
});

describe("encyclopaedic paragraphs", () => {
  it("have 90 to 160 words and a title of their own", () => {
    for (const { text } of paragraphs) {
      expect(count(text), text).toBeGreaterThanOrEqual(90);
      expect(count(text), text).toBeLessThanOrEqual(160);
    }
    expect(new Set(paragraphs.map(({ title }) => title)).size).toBe(paragraphs.length);
  });

  it("are no template with other names", () => {
    const texts = paragraphs.map((row) => row.text);
    expect(closestPair(texts).overlap).toBeLessThan(0.35);
    expect(shareWithACommonKey(texts, (text) => runs(text, 8))).toBeLessThanOrEqual(0.1);
    expect(vocabulary(texts)).toBeGreaterThanOrEqual(1800);
  });
});

describe("labelled comments", () => {
  const texts = comments.map((row) => row.text);
  const toxic = comments.filter((row) => row.toxic === 1).map((row) => row.text);
  const other = comments.filter((row) => row.toxic === 0).map((row) => row.text);
  const insult =
    /\b(idiot|stupid|moron|dumb|loser|pathetic|crap|damn|shut up|clown|jerk|trash|ignoran|liar|hypocrit|fool|coward|garbage|ugly|disgusting|worthless|troll)/i;

  it("are toxic in about half of the rows, in any part of the file", () => {
    const share = (rows: Comment[]): number => mean(rows.map((row) => row.toxic));
    expect(Math.abs(share(comments) - 0.5)).toBeLessThanOrEqual(0.02);
    const quarter = Math.ceil(comments.length / 4);
    for (let i = 0; i < 4; i++) {
      expect(Math.abs(share(comments.slice(i * quarter, (i + 1) * quarter)) - 0.5)).toBeLessThanOrEqual(0.1);
    }
  });

  it("have 4 to 50 words, short ones and long ones among them, and a length that does not tell the label", () => {
    const lengths = texts.map(count);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(50);
    expect(lengths.filter((n) => n <= 7).length / lengths.length).toBeGreaterThanOrEqual(0.05);
    expect(lengths.filter((n) => n >= 25).length / lengths.length).toBeGreaterThanOrEqual(0.05);
    expect(Math.abs(mean(toxic.map(count)) - mean(other.map(count)))).toBeLessThanOrEqual(2);
  });

  it("are written by hand: few begin alike, none is another with words swapped, the vocabulary is large", () => {
    expect(shareWithACommonKey(texts, beginning)).toBeLessThanOrEqual(0.01);
    expect(shareWithACommonKey(texts, (text) => runs(text, 6))).toBeLessThanOrEqual(0.02);
    const closest = closestPair(texts);
    expect(closest.overlap, closest.pair.join(" | ")).toBeLessThan(0.6);
    expect(vocabulary(texts)).toBeGreaterThanOrEqual(3000);
    expect(typeTokenRatio(texts)).toBeGreaterThanOrEqual(0.5);
  });

  it("cannot be told by a list of insults alone: decent comments use such words, abuse does without", () => {
    expect(other.filter((text) => insult.test(text)).length).toBeGreaterThanOrEqual(40);
    expect(toxic.filter((text) => !insult.test(text)).length).toBeGreaterThanOrEqual(100);
  });

  it("are written as people write: questions, capitals, small letters, exclamations in both halves", () => {
    for (const half of [toxic, other]) {
      expect(half.filter((text) => text.includes("?")).length).toBeGreaterThanOrEqual(30);
      expect(half.filter((text) => /^[a-z]/.test(text)).length).toBeGreaterThanOrEqual(15);
      expect(half.filter((text) => text.includes("!")).length).toBeGreaterThanOrEqual(15);
      expect(half.filter((text) => /\b[A-Z]{4,}\b/.test(text)).length).toBeGreaterThanOrEqual(3);
    }
  });

  it("would fail these measures if they were one template with other names", () => {
    const template = ["tom", "ann", "bob", "eve"].flatMap((name) =>
      ["an idiot", "a moron", "a clown", "a liar"].map(
        (noun) => `I have always said that ${name} is ${noun} and nobody should listen`,
      ),
    );
    const many = Array.from({ length: 50 }, () => template).flat();
    expect(shareWithACommonKey(template, beginning)).toBe(1);
    expect(shareWithACommonKey(template, (text) => runs(text, 6))).toBe(1);
    expect(closestPair(template).overlap).toBeGreaterThan(0.6);
    expect(typeTokenRatio(many)).toBeLessThan(0.1);
  });
});
