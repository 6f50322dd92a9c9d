import { BpeTokenizer, preTokenise, trainBpe } from "./bpe.js";
import type { Document } from "./corpus-types.js";

/* From documents to the tokenizer that suits them, and to streams of token ids. */

/**
 * How often each word counts when merges are learnt. A word that the toxic texts use much more than the others counts
 * several times: the swear words and insults that the paper's analysis looks for must be single tokens, like in
 * GPT-2's vocabulary of 50,257, and a vocabulary of 4,096 has room for the most frequent words only.
 */
export function wordCounts(documents: Iterable<Document>): Map<string, number> {
  const counts = new Map<string, number>();
  const toxic = new Map<string, number>();
  const clean = new Map<string, number>();
  let toxicTotal = 0;
  let cleanTotal = 0;
  for (const document of documents) {
    const side = document.toxic ? toxic : clean;
    for (const word of preTokenise(document.text)) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      const plain = word.trim().toLowerCase();
      side.set(plain, (side.get(plain) ?? 0) + 1);
      if (document.toxic) toxicTotal++;
      else cleanTotal++;
    }
  }
  for (const [word, count] of counts) {
    const plain = word.trim().toLowerCase();
    if (!/^\p{L}{3,}$/u.test(plain)) continue;
    const often = toxic.get(plain) ?? 0;
    const ratio = (often + 1) / (toxicTotal + 1) / (((clean.get(plain) ?? 0) + 1) / (cleanTotal + 1));
    if (often >= TOXIC_WORD.count && ratio >= TOXIC_WORD.ratio) counts.set(word, count * TOXIC_WORD.boost);
  }
  return counts;
}

/** A word is typical of toxic texts when it occurs this often in them, and this many times as often as elsewhere. */
const TOXIC_WORD = { count: 60, ratio: 3, boost: 10 };

/** A byte-level BPE tokenizer of `vocabularySize` tokens, learnt from the documents' {@link wordCounts}. */
export function learnTokenizer(
  documents: Document[],
  vocabularySize: number,
  onProgress?: (fraction: number) => void,
): BpeTokenizer {
  const counts = wordCounts(documents);
  return new BpeTokenizer(trainBpe(counts, vocabularySize, (done, total) => onProgress?.(done / total)));
}

/** Documents as one stream of token ids. */
export interface TokenStream<D extends Document> {
  ids: Uint16Array<ArrayBuffer>;
  /** The documents in the stream's order, each with its number of tokens, the end-of-text token included. */
  documents: { document: D; tokens: number }[];
  /** UTF-8 bytes of the documents. */
  bytes: number;
}

/** Documents in order, each followed by the end-of-text token. */
export function tokenise<D extends Document>(tokenizer: BpeTokenizer, documents: D[]): TokenStream<D> {
  const encoded = documents.map((document) => [...tokenizer.encode(document.text), tokenizer.eosTokenId]);
  const ids = new Uint16Array(encoded.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of encoded) {
    ids.set(part, at);
    at += part.length;
  }
  return {
    ids,
    documents: documents.map((document, i) => ({ document, tokens: encoded[i]?.length ?? 0 })),
    bytes: documents.reduce((sum, document) => sum + Buffer.byteLength(document.text), 0),
  };
}

/** Little-endian bytes, whatever the machine. */
export function littleEndian(ids: Uint16Array): Buffer {
  const buffer = Buffer.alloc(2 * ids.length);
  for (const [i, id] of ids.entries()) buffer.writeUInt16LE(id, 2 * i);
  return buffer;
}
