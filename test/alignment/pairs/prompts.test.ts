import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readPairPrompts } from "../../../src/alignment/pairs/index.js";
import { wikitextSentences } from "../../../src/alignment/pairs/wikitext-sentences.js";
import { mirror, withMirror } from "../../data/helpers.js";
import { folder, tokenizer } from "./cases.js";

const WIKI = [
  " ",
  " = A Title = ",
  " ",
  ' The first sentence has Mr. Smith and J. R. Brown in it . The second one is " quoted to its end . " The third is not . ',
  " ",
  " = = A Section = = ",
  " ",
  " Is this one a question with enough words ? It is , as ( some would say . ) The rest has no mark",
  " Too short . ",
  " The third is not . ",
  "",
].join("\n");

afterEach(() => vi.unstubAllEnvs());

/** A file of this content, under this name. */
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
}

describe("the sentences of WikiText", () => {
  it("end at a mark that stands alone, with what it closes; headings are no sentences", () => {
    expect(wikitextSentences(WIKI)).toEqual([
      "The first sentence has Mr. Smith and J. R. Brown in it .",
      'The second one is " quoted to its end . "',
      "The third is not .",
      "Is this one a question with enough words ?",
      "It is , as ( some would say . )",
      "The rest has no mark",
      "Too short .",
      "The third is not .",
    ]);
  });
});

describe("prompts", () => {
  it("are the lab's own rows, in an order that the seed decides", async () => {
    const bpe = await tokenizer();
    const { prompts, report } = await readPairPrompts("lab-prefixes", { tokenizer: bpe, seed: 1 });
    expect(prompts.length).toBeGreaterThanOrEqual(704);
    expect(new Set(prompts).size).toBe(prompts.length);
    expect(report.note).toBeUndefined();
    expect((await readPairPrompts("lab-prefixes", { tokenizer: bpe, seed: 1 })).prompts).toEqual(prompts);
    expect((await readPairPrompts("lab-prefixes", { tokenizer: bpe, seed: 2 })).prompts).not.toEqual(prompts);
    const few = await readPairPrompts("lab-prefixes", { tokenizer: bpe, seed: 1, count: 10 });
    expect(few.prompts).toEqual(prompts.slice(0, 10));
  });

  it("of WikiText are its sentences, each once, short ones and those with unknown words left out", async () => {
    const path = file("wiki.txt", `${WIKI} A sentence with an <unk> word in it . \n`);
    const { prompts, report } = await readPairPrompts(path, { tokenizer: await tokenizer(), seed: 1 });
    expect(prompts).toHaveLength(6);
    expect(report).toEqual({ source: path, texts: 9, short: 1, unknown: 1, duplicates: 1, cut: 0 });
  });

  it("of WikiText's archive are those of the train split unless said otherwise", async () => {
    const encode = (text: string) => new TextEncoder().encode(text);
    const zip = zipSync({
      "wikitext-2-raw/wiki.train.raw": encode(" \n = T = \n \n This one is for training only . \n"),
      "wikitext-2-raw/wiki.test.raw": encode(" \n = T = \n \n This one is for tests only . \n"),
    });
    const path = file("wikitext.zip", zip);
    const options = { tokenizer: await tokenizer(), seed: 1 };
    expect((await readPairPrompts(path, options)).prompts).toEqual(["This one is for training only ."]);
    expect((await readPairPrompts(path, { ...options, split: "test" })).prompts).toEqual([
      "This one is for tests only .",
    ]);
    await expect(readPairPrompts(path, { ...options, split: "valid" })).rejects.toThrow(
      /^no wiki\.valid\.raw in .*wiki\.train\.raw/,
    );
    await expect(readPairPrompts(file("not.zip", "text"), options)).rejects.toThrow(
      /^cannot read .*not\.zip: /,
    );
  });

  it("are cut before the word that would exceed the tokens, so that the tokens are the text's first ones", async () => {
    const bpe = await tokenizer();
    const text =
      "Extraordinarily complicated circumstances 🐦‍⬛ surrounded the reconstruction of the observatory";
    const path = file("mine.txt", `${text}\r\n`);
    const whole = bpe.encode(text);
    const lengths = new Set<number>();
    for (let maxPromptTokens = 1; maxPromptTokens <= whole.length; maxPromptTokens++) {
      const { prompts, report } = await readPairPrompts(path, { tokenizer: bpe, seed: 1, maxPromptTokens });
      const [prompt = ""] = prompts;
      const ids = bpe.encode(prompt);
      expect(text.startsWith(prompt)).toBe(true);
      expect(ids.length).toBeLessThanOrEqual(maxPromptTokens);
      expect(report.cut).toBe(maxPromptTokens < whole.length ? 1 : 0);
      if (prompt.includes(" ")) expect(ids).toEqual(whole.slice(0, ids.length));
      lengths.add(ids.length);
    }
    expect(lengths.size).toBeGreaterThan(5);
  });

  it("that become the same by the cut stay one, and fewer than asked for are said in one line", async () => {
    const path = file(
      "mine.jsonl",
      '{"prompt":"one and the same beginning of it"}\n{"prompt":"one and the same beginning of that"}\n',
    );
    const bpe = await tokenizer();
    const maxPromptTokens = bpe.encode("one and the same beginning of").length;
    const { prompts, report } = await readPairPrompts(path, {
      tokenizer: bpe,
      seed: 1,
      count: 3,
      maxPromptTokens,
    });
    expect(prompts).toEqual(["one and the same beginning of"]);
    expect(report.duplicates).toBe(1);
    expect(report.note).toBe(`${path} has 1 different prompts, 3 were asked for`);
  });

  it("that cannot be had are an error in one line", async () => {
    const options = { tokenizer: await tokenizer(), seed: 1 };
    await expect(readPairPrompts(file("a.txt", "short\n"), options)).rejects.toThrow(
      /no prompt of 5 words or more among 1 texts$/,
    );
    await expect(readPairPrompts(file("a.jsonl", '{"text":"x"}\n'), options)).rejects.toThrow(
      /a\.jsonl:1: no prompt/,
    );
    await expect(readPairPrompts("lab-prefixes", { ...options, count: 0 })).rejects.toThrow(/^count: got 0/);
    await expect(readPairPrompts("lab-prefixs", options)).rejects.toThrow(/did you mean .*lab-prefixes/);
  });

  it.skipIf(mirror === undefined)(`of WikiText-2's test split are 9,000${withMirror}`, async () => {
    vi.stubEnv("ALIGNSCOPE_MIRROR", mirror ?? "");
    const { prompts, report } = await readPairPrompts("wikitext-2-raw-test", {
      tokenizer: await tokenizer(),
      seed: 42,
    });
    expect(report.texts).toBeGreaterThan(9200);
    expect(prompts.length).toBeGreaterThan(9000);
    expect(prompts.filter((prompt) => prompt.startsWith("="))).toEqual([]);
  });
});
