import { type BpeMerges, BpeTokenizer } from "./bpe.js";

/**
 * Merges that make each of `words` one token, within a vocabulary: the least frequent merges give way to those that
 * join the pieces of a word. The latter come last, so that every other word is split by the frequent merges first.
 *
 * @param learnt merges as {@link trainBpe} learns them, most frequent first
 * @param words as pre-tokenisation gives them, with the blank before them: `" word"`
 * @param vocabularySize of the tokenizer to be: 256 bytes, the merges, and one end-of-text token
 */
export function mergeWords(learnt: BpeMerges, words: readonly string[], vocabularySize: number): BpeMerges {
  const wanted = vocabularySize - 256 - 1;
  let kept = Math.min(wanted, learnt.merges.length);
  let merges = withWords(learnt.merges.slice(0, kept), words);
  while (merges.length > wanted && kept > 0) {
    // Without a merge the words need at least as many as before: this never gives up more than it must.
    kept = Math.max(0, kept - (merges.length - wanted));
    merges = withWords(learnt.merges.slice(0, kept), words);
  }
  const known = new Set(merges.map(String));
  for (const merge of learnt.merges.slice(kept)) {
    if (merges.length >= wanted) break;
    if (Math.max(...merge) < 256 + kept && !known.has(String(merge))) merges.push(merge);
  }
  return { merges: merges.slice(0, wanted) };
}

function withWords(merges: [number, number][], words: readonly string[]): [number, number][] {
  const all = [...merges];
  let tokenizer = new BpeTokenizer({ merges: all });
  for (const word of words) {
    for (;;) {
      const [left, right] = tokenizer.encode(word);
      if (left === undefined || right === undefined) break;
      all.push([left, right]);
      tokenizer = new BpeTokenizer({ merges: all });
    }
  }
  return all;
}
