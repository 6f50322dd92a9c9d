import { isOffensive } from "../present/mask.js";
import { BpeTokenizer, preTokenise, trainBpe } from "./bpe.js";
import { mergeWords } from "./bpe-words.js";

/* From documents to the tokenizer that suits them, and to streams of token ids. */

/** How often each word of {@link preTokenise} occurs in the texts. */
export function wordCounts(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const word of preTokenise(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Words that occur less often do not take part in learning merges: there are many, and they decide nothing. */
const RARE = 4;

/** An offensive word that occurs this often in the documents is to be one token. */
const OFFENSIVE_COUNT = 20;

/**
 * The offensive words, with the blank before them, that the texts use: tables and figure 1 of the study look for them
 * as single tokens, as most of them are in GPT-2's vocabulary of 50,257; one of 4,096 has room only for the most
 * frequent words. The most frequent come first.
 */
export function offensiveWords(counts: ReadonlyMap<string, number>, atLeast = OFFENSIVE_COUNT): string[] {
  return [...counts]
    .filter(([word, count]) => count >= atLeast && /^ \p{Ll}+$/u.test(word) && isOffensive(word.trim()))
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([word]) => word);
}

/** A byte-level BPE tokenizer of `vocabularySize` tokens learnt from word counts, {@link offensiveWords} among them. */
export function learnTokenizer(
  counts: ReadonlyMap<string, number>,
  vocabularySize: number,
  onProgress?: (fraction: number) => void,
): BpeTokenizer {
  const frequent = new Map([...counts].filter(([, count]) => count >= RARE));
  const learnt = trainBpe(frequent, vocabularySize, (done, total) => onProgress?.(done / total));
  return new BpeTokenizer(mergeWords(learnt, offensiveWords(counts), vocabularySize));
}

/** Documents as one stream of token ids. */
export interface TokenStream {
  ids: Uint16Array<ArrayBuffer>;
  /** Tokens of each document, in the stream's order, the end-of-text token included. */
  lengths: number[];
  /** UTF-8 bytes of the documents. */
  bytes: number;
}

/** Texts in order, each followed by the end-of-text token. */
export function tokenise(
  tokenizer: BpeTokenizer,
  texts: readonly string[],
  onProgress?: (fraction: number) => void,
): TokenStream {
  let ids = new Uint16Array(1 << 16);
  let end = 0;
  let bytes = 0;
  const lengths = texts.map((text, at) => {
    const encoded = tokenizer.encode(text);
    if (end + encoded.length + 1 > ids.length) {
      const longer = new Uint16Array(Math.max(2 * ids.length, end + encoded.length + 1));
      longer.set(ids);
      ids = longer;
    }
    ids.set(encoded, end);
    end += encoded.length;
    ids[end++] = tokenizer.eosTokenId;
    bytes += Buffer.byteLength(text);
    if (at % 5000 === 0) onProgress?.(at / texts.length);
    return encoded.length + 1;
  });
  return { ids: ids.slice(0, end), lengths, bytes };
}

/** Little-endian bytes, whatever the machine. */
export function littleEndian(ids: Uint16Array): Buffer {
  const buffer = Buffer.alloc(2 * ids.length);
  for (const [i, id] of ids.entries()) buffer.writeUInt16LE(id, 2 * i);
  return buffer;
}
