import { describe, expect, it } from "vitest";
import { BpeTokenizer, preTokenise, trainBpe } from "../../src/lab/bpe.js";
import { mergeWords } from "../../src/lab/bpe-words.js";

const TEXT = `the lighthouse keeper counted the ships that passed the lighthouse and the keeper's daughter counted
the ships that the keeper had counted before she counted them and she never once counted a cormorant or a corset`;

const counts = new Map<string, number>();
for (const word of preTokenise(TEXT)) counts.set(word, (counts.get(word) ?? 0) + 1);
const learnt = trainBpe(counts, 320);

describe("words that are to be tokens", () => {
  const words = [" cormorant", " corset", " ships"];

  it("are, in a vocabulary of the size that was asked for", () => {
    const tokenizer = new BpeTokenizer(mergeWords(learnt, words, 320));
    expect(new BpeTokenizer(learnt).encode(" cormorant").length).toBeGreaterThan(1);
    expect(words.map((word) => tokenizer.encode(word).length)).toEqual([1, 1, 1]);
    expect(tokenizer.vocabSize).toBe(320);
  });

  it("leave the frequent merges as they are, and every text readable", () => {
    const merged = mergeWords(learnt, words, 320);
    expect(merged.merges.slice(0, 40)).toEqual(learnt.merges.slice(0, 40));
    const tokenizer = new BpeTokenizer(merged);
    expect(tokenizer.decode(tokenizer.encode(TEXT))).toBe(TEXT);
  });

  it("cost nothing where they are tokens already", () => {
    expect(mergeWords(learnt, [" the"], 320)).toEqual(learnt);
  });
});
