import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  describePairs,
  makePairs,
  readPairs,
  tokenisePairs,
  writePairs,
} from "../../../src/alignment/pairs/index.js";
import { mirror, withMirror } from "../../data/helpers.js";
import { folder, scorer, tokenizer, pairOptions } from "./cases.js";

interface Published {
  prompt_text: string;
  unpert_gen_text: string;
  pert_gen_text: string;
}

const row = (n: number | string): Published => ({
  prompt_text: `Prompt ${n} is`,
  unpert_gen_text: ` a fine thing ${n}.`,
  pert_gen_text: ` a silly thing ${n}.`,
});

const jsonl = (rows: readonly unknown[], end = "\n"): string =>
  rows.map((some) => JSON.stringify(some) + end).join("");

function write(path: string, content: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const file = (content: string): string => write(join(folder(), "pairs.jsonl"), content);
const sides = (pairs: readonly { prompt: string; chosen: string; rejected: string }[]): string[][] =>
  pairs.map(({ prompt, chosen, rejected }) => [prompt, chosen, rejected]);

afterEach(() => vi.unstubAllEnvs());

describe("the published format", () => {
  it("is read from one file, with the place of each row for an id", async () => {
    const path = file(jsonl([row(1), row(2)]));
    const { pairs, report } = await readPairs(path);
    expect(pairs).toEqual([
      { id: "pairs:1", prompt: "Prompt 1 is", chosen: " a fine thing 1.", rejected: " a silly thing 1." },
      { id: "pairs:2", prompt: "Prompt 2 is", chosen: " a fine thing 2.", rejected: " a silly thing 2." },
    ]);
    expect(report).toEqual({
      files: [{ path, rows: 2 }],
      dropped: { empty: 0, same: 0, duplicate: 0 },
      places: [],
      missing: 0,
    });
  });

  it("is written as it was read, whatever else is known of a pair", async () => {
    const known = {
      pert_toxicity: 0.9,
      unpert_toxicity: 0.1,
      prompt_tokens: 3,
      unpert_tokens: 5,
      pert_tokens: 6,
      pert_kl: 0.4,
    };
    const { pairs } = await readPairs(file(jsonl([row(1), { ...row("🙂\u2028"), ...known }])));
    const path = join(folder(), "again", "pairs.jsonl");
    writePairs(path, pairs);
    expect((await readPairs(path)).pairs).toEqual(pairs);
    expect(pairs[1]).toMatchObject({ divergence: 0.4, toxicity: { chosen: 0.1, rejected: 0.9 } });
  });

  it("is read from a folder of splits, in the order of their names with numbers by value, other files left alone", async () => {
    const set = folder();
    for (const n of [10, 2, 0]) write(join(set, `split_${n}.jsonl`), jsonl([row(n)]));
    write(join(set, "notes.jsonl"), "no rows");
    write(join(set, "split_0.txt"), "no rows");
    const { pairs, report } = await readPairs(set);
    expect(pairs.map(({ id }) => id)).toEqual(["split_0:1", "split_2:1", "split_10:1"]);
    expect(report.files.map(({ rows }) => rows)).toEqual([1, 1, 1]);
    await expect(readPairs(folder())).rejects.toThrow(
      /^no split_\*\.jsonl in .*: expected the files of the published set$/,
    );
  });

  it("comes back as it was written, whatever the texts: U+2028, emoji, lone surrogates, line breaks, quotes", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string(),
      fc.constantFrom("\ud83d", "\u2028", "\u2029", "🐦‍⬛", "a\r\nb", '"\\"', "\u0000", "\ufeff"),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 8 }),
        async (texts) => {
          const rows = texts.map(([prompt_text, a, b], i) => ({
            prompt_text,
            unpert_gen_text: `+${i}${a}`,
            pert_gen_text: `-${i}${b}`,
          }));
          const { pairs } = await readPairs(write(join(where, "split_0.jsonl"), jsonl(rows)));
          expect(sides(pairs)).toEqual(rows.map(Object.values));
        },
      ),
      { numRuns: 60 },
    );
  });
  const where = folder();

  it("may have CRLF line ends, a byte order mark, blank lines, no last line feed, and fields of anybody's", async () => {
    const rows = [{ ...row(1), index: 7, note: { any: "thing" } }, row(2)];
    const { pairs } = await readPairs(file(`\ufeff${jsonl(rows, "\r\n")}\r\n\n${JSON.stringify(row(3))}`));
    expect(pairs.map(({ id, prompt }) => [id, prompt])).toEqual([
      ["pairs:1", "Prompt 1 is"],
      ["pairs:2", "Prompt 2 is"],
      ["pairs:5", "Prompt 3 is"],
    ]);
  });

  it("is what pairs that are made here have as well", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    await makePairs(options);
    const { pairs, report } = await readPairs(options.path);
    expect(report.missing).toBe(0);
    expect(pairs.length + report.dropped.empty + report.dropped.same).toBe(37);
    for (const { toxicity, tokens, chosen } of pairs) {
      expect(toxicity?.chosen).toBe(1 / (1 + chosen.length));
      expect(tokens?.prompt).toBeGreaterThan(0);
    }
  });
});

describe("rows that are not as they should be", () => {
  it.each([
    ["no field", { prompt_text: "a", unpert_gen_text: "b" }, "no pert_gen_text \\(expected a string\\)"],
    ["a number for a text", { ...row(1), prompt_text: 3 }, "prompt_text is a number, expected a string"],
    ["no object", [1], "expected an object with prompt_text, unpert_gen_text, pert_gen_text"],
    ["null", null, "expected an object with"],
    [
      "a score that is none",
      { ...row(1), pert_toxicity: "high" },
      'pert_toxicity is "high", expected a number',
    ],
  ])("with %s are refused, with file and line", async (_, bad, message) => {
    const path = file(jsonl([row(1), bad]));
    await expect(readPairs(path)).rejects.toThrow(new RegExp(`^${path}:2: ${message}`));
  });

  it("and are no JSON, as a last line that was torn, are refused with file and line", async () => {
    const path = file(jsonl([row(1), row(2)]).slice(0, -20));
    await expect(readPairs(path)).rejects.toThrow(new RegExp(`^${path}:2: not JSON`));
  });

  const faulty = [
    row(1),
    { ...row(2), pert_gen_text: " \n" },
    { ...row(3), pert_gen_text: row(3).unpert_gen_text },
    row(1),
    row(4),
    { ...row(5), unpert_gen_text: "" },
  ];

  it("because a side is empty, both are the same or an earlier row has the same texts are dropped and counted", async () => {
    const path = file(jsonl(faulty));
    const { pairs, report } = await readPairs(path);
    expect(pairs.map(({ id }) => id)).toEqual(["pairs:1", "pairs:5"]);
    expect(report.dropped).toEqual({ empty: 2, same: 1, duplicate: 1 });
    expect(report.places).toEqual([
      `${path}:2: an empty side`,
      `${path}:3: two equal sides`,
      `${path}:4: the same texts as an earlier row`,
      `${path}:6: an empty side`,
    ]);
  });

  it.each([
    [1, "an empty side"],
    [2, "two equal sides"],
    [3, "the same texts as an earlier row"],
  ])("are refused when asked to be strict (row %i: %s)", async (index, why) => {
    const path = file(jsonl([row(1), faulty[index]]));
    await expect(readPairs(path, { strict: true })).rejects.toThrow(
      new RegExp(`^${path}:2: ${why}; remove the row, or read without strict to drop it$`),
    );
  });

  it("and nothing else are refused", async () => {
    await expect(readPairs(file(jsonl([faulty[1]])))).rejects.toThrow(/no usable pairs among 1 rows$/);
    await expect(readPairs(file(""))).rejects.toThrow(/no usable pairs among 0 rows$/);
    await expect(readPairs("./nowhere.jsonl")).rejects.toThrow(/^no file or folder .*nowhere\.jsonl$/);
  });

  it("because they are not made yet are counted, and refused when asked to be strict", async () => {
    const options = await pairOptions(join(folder(), "pairs.jsonl"));
    const stop = new AbortController();
    const onProgress = (done: number): void => {
      if (done === 8) stop.abort(new Error("enough"));
    };
    await expect(makePairs({ ...options, signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect((await readPairs(options.path)).report.missing).toBe(29);
    await expect(readPairs(options.path, { strict: true })).rejects.toThrow(
      /has 8 of 37 rows: finish it with `alignscope pairs make`|two equal sides/,
    );
  });
});

describe("ParaDetox", () => {
  const tsv = [
    "toxic\tneutral1\tneutral2\tneutral3",
    "what a silly idiot\twhat a person\tthe person\t",
    'you idiot\t"he said\nno"\t\t',
    "fine\tfine\t\t",
  ].join("\r\n");

  it("is pairs without a prompt: a neutral rewrite is chosen, the toxic sentence rejected", async () => {
    const path = write(join(folder(), "mine.tsv"), tsv);
    const first = await readPairs(path);
    expect(sides(first.pairs)).toEqual([
      ["", "what a person", "what a silly idiot"],
      ["", "he said\nno", "you idiot"],
    ]);
    expect(first.report.dropped).toEqual({ empty: 0, same: 1, duplicate: 0 });
    const all = await readPairs(path, { rewrites: "all" });
    expect(all.pairs.map(({ id }) => id)).toEqual(["mine:2", "mine:2.2", "mine:4"]);
  });

  it("gets the end-of-text token for a prompt", async () => {
    const { eosTokenId } = await tokenizer();
    const { pairs } = await readPairs(write(join(folder(), "mine.tsv"), tsv));
    const { pairs: ids, report } = tokenisePairs(pairs, await tokenizer());
    expect(ids.map(({ prompt }) => prompt)).toEqual([[eosTokenId], [eosTokenId]]);
    expect(report.unprompted).toBe(2);
  });

  it("without its columns is refused with file and line", async () => {
    const path = write(join(folder(), "mine.tsv"), "a\tb\nc\td\n");
    await expect(readPairs(path)).rejects.toThrow(
      new RegExp(`^${path}:2: expected the columns toxic and neutral1`),
    );
  });

  it.skipIf(mirror === undefined)(
    `of the mirror has 19,743 pairs, of which 126 say nothing${withMirror}`,
    async () => {
      vi.stubEnv("ALIGNSCOPE_MIRROR", mirror ?? "");
      const first = await readPairs("paradetox");
      expect(first.pairs).toHaveLength(11_830);
      expect(first.report.dropped).toEqual({ empty: 0, same: 97, duplicate: 0 });
      const all = await readPairs("paradetox", { rewrites: "all" });
      expect(all.report.files[0]?.rows).toBe(19_743);
      expect(all.pairs).toHaveLength(19_105);
      expect(new Set(all.pairs.map(({ id }) => id)).size).toBe(19_105);
    },
  );
});

describe("pairs as tokens", () => {
  const pair = { id: "a", prompt: "one two three four", chosen: " five six", rejected: " seven" };

  it("have prompt and continuation tokenised each on its own", async () => {
    const bpe = await tokenizer();
    expect(tokenisePairs([pair], bpe).pairs).toEqual([
      {
        id: "a",
        prompt: bpe.encode(pair.prompt),
        chosen: bpe.encode(" five six"),
        rejected: bpe.encode(" seven"),
      },
    ]);
  });

  it("are cut to the lengths asked for: continuations at their end, prompts there too unless the end is to stay", async () => {
    const bpe = await tokenizer();
    const limits = { maxPromptTokens: 2, maxNewTokens: 1 };
    const prompt = bpe.encode(pair.prompt);
    const { pairs, report } = tokenisePairs([pair], bpe, limits);
    expect(pairs[0]?.prompt).toEqual(prompt.slice(0, 2));
    expect(pairs[0]?.chosen).toEqual(bpe.encode(" five six").slice(0, 1));
    expect(report.cut.prompt).toBe(1);
    expect(report.cut.chosen).toBe(1);
    expect(tokenisePairs([pair], bpe, { ...limits, keep: "end" }).pairs[0]?.prompt).toEqual(prompt.slice(-2));
  });

  it("are dropped when nothing tells the sides apart after the cut", async () => {
    const bpe = await tokenizer();
    const alike = { id: "b", prompt: "p", chosen: " one two three", rejected: " one two four" };
    const both = tokenisePairs([pair, alike], bpe, { maxNewTokens: bpe.encode(" one two").length });
    expect(both.pairs.map(({ id }) => id)).toEqual(["a"]);
    expect(both.report.dropped).toEqual({ empty: 0, same: 1 });
    expect(() => tokenisePairs([alike], bpe, { maxNewTokens: 1 })).toThrow(
      /^none of 1 pairs has two different sides/,
    );
    expect(() => tokenisePairs([pair], bpe, { maxNewTokens: 0 })).toThrow(
      /^maxNewTokens: got 0, expected a positive integer$/,
    );
  });

  it("survive lone surrogates, emoji and U+2028", async () => {
    const odd = { id: "c", prompt: "\ud83d", chosen: " 🐦‍⬛", rejected: " \u2028" };
    const { pairs } = tokenisePairs([odd], await tokenizer());
    for (const side of ["prompt", "chosen", "rejected"] as const) {
      expect(pairs[0]?.[side].length).toBeGreaterThan(0);
      expect(pairs[0]?.[side].every((id) => Number.isInteger(id) && id >= 0)).toBe(true);
    }
  });
});

describe("the summary of pairs", () => {
  const read = [
    {
      id: "1",
      prompt: "a",
      chosen: " b",
      rejected: " c",
      toxicity: { chosen: 0.1, rejected: 0.9 },
      tokens: { prompt: 1, chosen: 4, rejected: 2 },
    },
    {
      id: "2",
      prompt: "a",
      chosen: " d",
      rejected: " e",
      toxicity: { chosen: 0.3, rejected: 0.2 },
      tokens: { prompt: 3, chosen: 2, rejected: 2 },
    },
  ];

  it("has the rows' own numbers, their means, and how often the rejected side is the more toxic one", async () => {
    const summary = await describePairs(read);
    expect(summary.pairs).toBe(2);
    expect(summary.tokens).toMatchObject({
      prompt: [1, 3],
      chosen: [4, 2],
      mean: { prompt: 2, chosen: 3, rejected: 2 },
    });
    expect(summary.toxicity).toMatchObject({
      chosen: [0.1, 0.3],
      rejected: [0.9, 0.2],
      rejectedMoreToxic: 0.5,
    });
    expect(summary.toxicity?.mean.rejected).toBeCloseTo(0.55, 12);
  });

  it("asks tokenizer and scorer about rows of the published format, and leaves out what nobody knows", async () => {
    const bare = read.map(({ id, prompt, chosen, rejected }) => ({
      id,
      prompt,
      chosen: `${chosen} more`,
      rejected,
    }));
    expect(await describePairs(bare)).toEqual({ pairs: 2 });
    await expect(describePairs([])).rejects.toThrow("got no pairs to describe: expected at least one");
    const summary = await describePairs(bare, { tokenizer: await tokenizer(), scorer });
    expect(summary.tokens?.chosen.every((length) => length >= 2)).toBe(true);
    expect(summary.toxicity).toMatchObject({
      chosen: [1 / 8, 1 / 8],
      rejected: [1 / 3, 1 / 3],
      rejectedMoreToxic: 1,
    });
  });
});
