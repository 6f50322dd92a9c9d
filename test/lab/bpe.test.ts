import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BpeTokenizer, END_OF_TEXT, preTokenise, trainBpe } from "../../src/lab/bpe.js";

const TEXT = `The lighthouse keeper counted the ships that passed the lighthouse, and wrote down what they were carrying.
"It's nothing," said the keeper's daughter; she'd counted 1,204 of them since 1961. They don't stop here any more!
The ships that don't stop are the ships that the keepers count: the café, the naïve señor, the “quoted” word — and 日本.`;

const countsOf = (text: string): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const word of preTokenise(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

/** Byte-pair encoding as the paper describes it, every pair counted anew for every merge. */
function trainSlowly(counts: Map<string, number>, wanted: number): [number, number][] {
  const words = [...counts].map(([word, count]) => ({ ids: [...new TextEncoder().encode(word)], count }));
  const merges: [number, number][] = [];
  while (merges.length < wanted) {
    const pairs = new Map<number, number>();
    for (const { ids, count } of words) {
      for (let i = 0; i + 1 < ids.length; i++) {
        const key = ids[i]! * 0x100000 + ids[i + 1]!;
        pairs.set(key, (pairs.get(key) ?? 0) + count);
      }
    }
    const best = [...pairs].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
    if (!best) break;
    const [left, right] = [Math.floor(best[0] / 0x100000), best[0] % 0x100000];
    for (const { ids } of words) {
      for (let i = 0; i + 1 < ids.length; i++) {
        if (ids[i] === left && ids[i + 1] === right) ids.splice(i, 2, 256 + merges.length);
      }
    }
    merges.push([left, right]);
  }
  return merges;
}

let folder: string;
const tokenizer = new BpeTokenizer(trainBpe(countsOf(TEXT), 380));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "alignscope-bpe-"));
  tokenizer.save(folder, 128);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("learning merges", () => {
  it("gives the merges of counting every pair anew for every merge", () => {
    expect(trainBpe(countsOf(TEXT), 380).merges).toEqual(trainSlowly(countsOf(TEXT), 123));
  });

  it("does so for words in which a pair overlaps itself", () => {
    const counts = new Map([
      ["aaaa", 5],
      ["aaa", 4],
      ["abababa", 3],
      ["baab", 2],
    ]);
    expect(trainBpe(counts, 300).merges).toEqual(trainSlowly(counts, 43));
  });

  it("does not depend on the order in which words were met", () => {
    const counts = countsOf(TEXT);
    expect(trainBpe(new Map([...counts].reverse()), 380)).toEqual(trainBpe(counts, 380));
  });

  it("makes frequent words single tokens", () => {
    expect(tokenizer.encode(" the ships that")).toHaveLength(3);
  });

  it("reports how far it has come, up to the end", () => {
    const seen: [number, number][] = [];
    trainBpe(countsOf(TEXT), 380, (done, total) => seen.push([done, total]));
    expect(seen.at(-1)).toEqual([123, 123]);
  });
});

describe("the tokenizer", () => {
  it("has the bytes first, the merges after them and end of text last", () => {
    expect(tokenizer.vocabSize).toBe(380);
    expect(tokenizer.eosTokenId).toBe(379);
    expect(tokenizer.tokenText(379)).toBe(END_OF_TEXT);
    expect(tokenizer.tokenText(32)).toBe("Ġ");
  });

  it("gives back any text it was given", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        (text) => tokenizer.decode(tokenizer.encode(text)) === text,
      ),
    );
  });

  it("does not take the words <|endoftext|> in a text for the end of a text", () => {
    expect(tokenizer.encode(`a ${END_OF_TEXT}`)).not.toContain(tokenizer.eosTokenId);
    expect(tokenizer.decode([65, tokenizer.eosTokenId, 66])).toBe("AB");
  });

  it("is the same after it was written and read", () => {
    const loaded = BpeTokenizer.load(folder);
    expect(loaded.toJson()).toEqual(tokenizer.toJson());
    expect(loaded.encode(TEXT)).toEqual(tokenizer.encode(TEXT));
  });

  it("encodes and decodes like @xenova/transformers does from the same files", async () => {
    const { AutoTokenizer, env } = await import("@xenova/transformers");
    env.allowRemoteModels = false;
    const theirs = await AutoTokenizer.from_pretrained(folder, { local_files_only: true });
    const samples = [
      TEXT,
      " two  blanks\tand\n\n lines ",
      "We'll see — it isn’t 3.5%?!",
      "naïve “café” 日本 🙂",
      "x".repeat(60),
    ];
    for (const sample of samples) {
      const ids = tokenizer.encode(sample);
      expect(theirs.encode(sample), sample).toEqual(ids);
      expect(theirs.decode(ids), sample).toBe(sample);
    }
    expect(theirs.encode(END_OF_TEXT)).toEqual([tokenizer.eosTokenId]);
  });

  it("says in one line what is wrong with a file it cannot use", () => {
    const broken = mkdtempSync(join(tmpdir(), "alignscope-bpe-"));
    expect(() => BpeTokenizer.load(broken)).toThrow(/cannot read .*tokenizer\.json/);
    const json = { model: { vocab: { a: 0 }, merges: ["a b"] } };
    writeFileSync(join(broken, "tokenizer.json"), JSON.stringify(json));
    expect(() => BpeTokenizer.load(broken)).toThrow(/merge 0 \("a b"\) is not of two tokens made before it/);
    writeFileSync(join(broken, "tokenizer.json"), JSON.stringify({ model: { vocab: { a: 0 }, merges: [] } }));
    expect(() => BpeTokenizer.load(broken)).toThrow(/token 0 should be another one/);
    rmSync(broken, { recursive: true });
  });
});
