import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";

/*
 * Byte-level byte-pair encoding as GPT-2 has it (Radford et al. 2019, section 2.2; Sennrich et al. 2016): text is cut
 * into words, each word is its UTF-8 bytes, and the most frequent pair of neighbours is merged again and again.
 */

/** The token that ends a document; always the last id. */
export const END_OF_TEXT = "<|endoftext|>";

/** GPT-2's pre-tokenisation: contractions, then words, numbers and signs with the blank before them. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The words of a text, as byte-level BPE sees them: merges never cross them, and joined they are the text. */
export const preTokenise = (text: string): string[] => text.match(WORDS) ?? [];

/**
 * GPT-2's printable stand-in for each byte: printable Latin-1 characters for themselves, the others shifted to U+0100
 * and up, so that a vocabulary file holds no control characters and no blanks.
 */
const byteCharacters: readonly string[] = (() => {
  const characters: string[] = [];
  let shifted = 0;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    characters.push(String.fromCodePoint(printable ? byte : 0x100 + shifted++));
  }
  return characters;
})();

/** What {@link trainBpe} learns: merge number i makes token 256 + i of two earlier tokens. */
export interface BpeMerges {
  merges: [left: number, right: number][];
}

/** Pairs by count, largest first, ties by the smaller pair; an entry goes stale when its pair's count changes. */
class PairHeap {
  private readonly keys: number[] = [];
  private readonly counts: number[] = [];

  private before(i: number, j: number): boolean {
    const [a, b] = [this.counts[i] as number, this.counts[j] as number];
    return a > b || (a === b && (this.keys[i] as number) < (this.keys[j] as number));
  }

  private swap(i: number, j: number): void {
    [this.keys[i], this.keys[j]] = [this.keys[j] as number, this.keys[i] as number];
    [this.counts[i], this.counts[j]] = [this.counts[j] as number, this.counts[i] as number];
  }

  push(key: number, count: number): void {
    let at = this.keys.push(key) - 1;
    this.counts.push(count);
    for (let parent = (at - 1) >> 1; at > 0 && this.before(at, parent); parent = (at - 1) >> 1) {
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): { key: number; count: number } | undefined {
    if (this.keys.length === 0) return undefined;
    this.swap(0, this.keys.length - 1);
    const popped = { key: this.keys.pop() as number, count: this.counts.pop() as number };
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let first = at;
      if (left < this.keys.length && this.before(left, first)) first = left;
      if (right < this.keys.length && this.before(right, first)) first = right;
      if (first === at) return popped;
      this.swap(at, first);
      at = first;
    }
  }
}

/** A pair of tokens as one number: token ids stay below 2^20. */
const pairKey = (left: number, right: number): number => left * 0x100000 + right;

const encoder = new TextEncoder();

/**
 * Learns byte-pair merges from word counts.
 *
 * @param counts how often each word (of {@link preTokenise}) occurs; fractions are fine
 * @param vocabularySize of the tokenizer to be: 256 bytes, the merges, and one end-of-text token
 */
export function trainBpe(
  counts: ReadonlyMap<string, number>,
  vocabularySize: number,
  onProgress?: (done: number, total: number) => void,
): BpeMerges {
  const words = [...counts.keys()].sort();
  const symbols = words.map((word) => Array.from(encoder.encode(word)));
  const weights = words.map((word) => counts.get(word) as number);
  const pairCounts = new Map<number, number>();
  const pairWords = new Map<number, Set<number>>();
  const heap = new PairHeap();

  const change = (left: number, right: number, word: number, by: number): number => {
    const key = pairKey(left, right);
    pairCounts.set(key, (pairCounts.get(key) ?? 0) + by);
    if (by > 0) {
      const holders = pairWords.get(key);
      if (holders) holders.add(word);
      else pairWords.set(key, new Set([word]));
    }
    return key;
  };
  for (const [word, ids] of symbols.entries()) {
    for (let i = 0; i + 1 < ids.length; i++) {
      change(ids[i] as number, ids[i + 1] as number, word, weights[word] as number);
    }
  }
  for (const [key, count] of pairCounts) heap.push(key, count);

  const merges: [number, number][] = [];
  const wanted = vocabularySize - 256 - 1;
  while (merges.length < wanted) {
    const top = heap.pop();
    if (!top) break;
    const current = pairCounts.get(top.key) ?? 0;
    if (current !== top.count) continue; // stale: the pair was pushed again with its new count
    if (current <= 0) break;
    const left = Math.floor(top.key / 0x100000);
    const right = top.key % 0x100000;
    const merged = 256 + merges.length;
    merges.push([left, right]);
    const touched = new Set<number>();
    for (const word of pairWords.get(top.key) ?? []) {
      const old = symbols[word] as number[];
      const weight = weights[word] as number;
      const next: number[] = [];
      for (let i = 0; i < old.length; i++) {
        if (old[i] === left && old[i + 1] === right) {
          next.push(merged);
          i++;
        } else next.push(old[i] as number);
      }
      if (next.length === old.length) continue;
      for (let i = 0; i + 1 < old.length; i++) {
        touched.add(change(old[i] as number, old[i + 1] as number, word, -weight));
      }
      for (let i = 0; i + 1 < next.length; i++) {
        touched.add(change(next[i] as number, next[i + 1] as number, word, weight));
      }
      symbols[word] = next;
    }
    pairCounts.delete(top.key);
    pairWords.delete(top.key);
    touched.delete(top.key);
    for (const key of touched) {
      const count = pairCounts.get(key) ?? 0;
      if (count > 1e-9) heap.push(key, count);
      else {
        pairCounts.delete(key);
        pairWords.delete(key);
      }
    }
    if (merges.length % 200 === 0) onProgress?.(merges.length, wanted);
  }
  onProgress?.(merges.length, wanted);
  return { merges };
}

/** A byte-level BPE tokenizer made of merges; the end-of-text token follows the last merge. */
export class BpeTokenizer {
  readonly vocabSize: number;
  readonly eosTokenId: number;
  /** Each token's bytes, except the end-of-text token's. */
  private readonly bytes: Uint8Array[];
  private readonly ranks = new Map<number, number>();
  private readonly cache = new Map<string, number[]>();

  constructor(private readonly learnt: BpeMerges) {
    this.bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    for (const [left, right] of learnt.merges) {
      this.ranks.set(pairKey(left, right), this.bytes.length);
      this.bytes.push(
        Uint8Array.from([...(this.bytes[left] as Uint8Array), ...(this.bytes[right] as Uint8Array)]),
      );
    }
    this.eosTokenId = this.bytes.length;
    this.vocabSize = this.bytes.length + 1;
  }

  /**
   * The tokenizer of a folder's `tokenizer.json`, as {@link save} writes it.
   *
   * @throws UserError when the file is missing, or is not made of 256 bytes, merges in order, and end of text
   */
  static load(folder: string): BpeTokenizer {
    const path = join(folder, "tokenizer.json");
    let model: { vocab: Record<string, number>; merges: string[] };
    try {
      model = (JSON.parse(readFileSync(path, "utf8")) as { model: typeof model }).model;
    } catch (error) {
      throw new UserError(`cannot read ${path}: ${messageOf(error)}`);
    }
    const merges = model.merges.map((merge, i): [number, number] => {
      const [left, right] = merge.split(" ").map((token) => model.vocab[token]);
      if (left !== undefined && right !== undefined && Math.max(left, right) < 256 + i) return [left, right];
      throw new UserError(`${path}: merge ${i} ("${merge}") is not of two tokens made before it`);
    });
    const tokenizer = new BpeTokenizer({ merges });
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      if (model.vocab[tokenizer.tokenText(id)] !== id) {
        throw new UserError(`${path} is not a tokenizer of this project: token ${id} should be another one`);
      }
    }
    return tokenizer;
  }

  /** Token ids of a text. No token is added, and `<|endoftext|>` written in the text is encoded as plain letters. */
  encode(text: string): number[] {
    const ids: number[] = [];
    for (const word of preTokenise(text)) {
      let encoded = this.cache.get(word);
      if (!encoded) {
        encoded = this.encodeWord(word);
        if (this.cache.size < 500_000) this.cache.set(word, encoded);
      }
      for (const id of encoded) ids.push(id);
    }
    return ids;
  }

  private encodeWord(word: string): number[] {
    const ids = Array.from(encoder.encode(word));
    for (;;) {
      let best = Infinity;
      for (let i = 0; i + 1 < ids.length; i++) {
        best = Math.min(best, this.ranks.get(pairKey(ids[i] as number, ids[i + 1] as number)) ?? Infinity);
      }
      if (best === Infinity) return ids;
      const [left, right] = this.learnt.merges[best - 256] as [number, number];
      for (let i = 0; i + 1 < ids.length; i++)
        if (ids[i] === left && ids[i + 1] === right) ids.splice(i, 2, best);
    }
  }

  /** The text of token ids; bytes that are no UTF-8 become U+FFFD, the end-of-text token is left out. */
  decode(ids: Iterable<number>): string {
    const parts = [...ids]
      .filter((id) => id !== this.eosTokenId)
      .map((id) => this.bytes[id] ?? new Uint8Array());
    return Buffer.concat(parts).toString("utf8");
  }

  /** A token as vocabulary files write it, with a byte's stand-in for each byte. */
  tokenText(id: number): string {
    if (id === this.eosTokenId) return END_OF_TEXT;
    return Array.from(this.bytes[id] ?? [], (byte) => byteCharacters[byte]).join("");
  }

  /** The content of Hugging Face's `tokenizer.json`. */
  toJson(): object {
    const vocab: Record<string, number> = {};
    for (let id = 0; id < this.vocabSize; id++) vocab[this.tokenText(id)] = id;
    return {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [
        {
          id: this.eosTokenId,
          content: END_OF_TEXT,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: false,
          special: true,
        },
      ],
      normalizer: null,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: null,
      decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab,
        merges: this.learnt.merges.map(([left, right]) => `${this.tokenText(left)} ${this.tokenText(right)}`),
      },
    };
  }

  /** Writes `tokenizer.json` and `tokenizer_config.json`, which Hugging Face's libraries load from a local folder. */
  save(folder: string, contextLength: number): void {
    writeJsonAtomic(join(folder, "tokenizer.json"), this.toJson());
    writeJsonAtomic(join(folder, "tokenizer_config.json"), {
      tokenizer_class: "GPT2Tokenizer",
      model_max_length: contextLength,
      add_prefix_space: false,
      bos_token: END_OF_TEXT,
      eos_token: END_OF_TEXT,
      unk_token: END_OF_TEXT,
      clean_up_tokenization_spaces: false,
    });
  }
}
