import { normaliseText } from "./normalise.js";

/** Sizes of the two hashed tables: word n-grams first, character n-grams after them. */
export interface FeatureSettings {
  /** Buckets of the table of word 1-2-grams: 2 ** wordBits. */
  readonly wordBits: number;
  /** Buckets of the table of character 2-5-grams: 2 ** characterBits. */
  readonly characterBits: number;
}

/** A text as a sparse vector: `values[k]` at feature `indices[k]`; indices ascend without repetition. */
export interface SparseVector {
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Longest piece of a text that is read, in UTF-16 units: far beyond any comment, and it bounds memory. */
const longestText = 50_000;

const shortestGram = 2;
const longestGram = 5;
const words = /[\p{L}\p{N}][\p{L}\p{N}'*]*/gu;
const letters = /\p{L}/gu;
const capitals = /\p{Lu}/gu;

export function featureCount(settings: FeatureSettings): number {
  return 2 ** settings.wordBits + 2 ** settings.characterBits;
}

/** Spreads an FNV-1a state over all 32 bits (the finaliser of MurmurHash3), so that its top bits choose a bucket. */
function spread(state: number): number {
  let hash = state;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashOf(text: string, seed: number): number {
  let state = seed;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state;
}

/** What the spelling hides and the case tells: how much of the text is shouted. */
function shouting(text: string): string[] {
  const all = text.match(letters)?.length ?? 0;
  if (all < 4) return [];
  const share = (text.match(capitals)?.length ?? 0) / all;
  return share > 0.8 ? ["<shouted>"] : share > 0.3 ? ["<half-shouted>"] : [];
}

/**
 * The scorer's view of a text: counts of word 1-2-grams and of character 2-5-grams (spaces included), each hashed
 * into its table, damped to 1 + ln(count), and each table's part scaled to length 1, so that a long comment weighs as much
 * as a short one. An empty or blank text has no features.
 */
export function featuresOf(text: string, settings: FeatureSettings): SparseVector {
  const original = text.length > longestText ? text.slice(0, longestText) : text;
  const normal = normaliseText(original);
  if (normal === "") return { indices: new Int32Array(0), values: new Float32Array(0) };

  const tokens = [...(normal.match(words) ?? []), ...shouting(original)];
  const wordShift = 32 - settings.wordBits;
  const wordBuckets = new Int32Array(2 * tokens.length);
  let wordEnd = 0;
  let previous = hashOf("<start>", 0x811c9dc5);
  for (const token of tokens) {
    const own = hashOf(token, 0x811c9dc5);
    wordBuckets[wordEnd++] = spread(own) >>> wordShift;
    wordBuckets[wordEnd++] = spread(hashOf(token, Math.imul(previous ^ 0x20, 0x01000193))) >>> wordShift;
    previous = own;
  }

  const padded = ` ${normal} `;
  const characterShift = 32 - settings.characterBits;
  const characterBase = 2 ** settings.wordBits;
  const characterBuckets = new Int32Array((longestGram - shortestGram + 1) * padded.length);
  let characterEnd = 0;
  for (let start = 0; start < padded.length; start++) {
    let state = 0x9747b28c;
    const last = Math.min(longestGram, padded.length - start);
    for (let length = 1; length <= last; length++) {
      state = Math.imul(state ^ padded.charCodeAt(start + length - 1), 0x01000193);
      if (length >= shortestGram)
        characterBuckets[characterEnd++] = characterBase + (spread(state) >>> characterShift);
    }
  }

  const indices = new Int32Array(wordEnd + characterEnd);
  const values = new Float32Array(wordEnd + characterEnd);
  const afterWords = countInto(wordBuckets.subarray(0, wordEnd), indices, values, 0);
  const end = countInto(characterBuckets.subarray(0, characterEnd), indices, values, afterWords);
  return { indices: indices.subarray(0, end), values: values.subarray(0, end) };
}

/** Appends the distinct `buckets` with damped counts scaled to length 1; returns the new end. */
function countInto(buckets: Int32Array, indices: Int32Array, values: Float32Array, begin: number): number {
  buckets.sort();
  let end = begin;
  let squares = 0;
  for (let at = 0; at < buckets.length;) {
    const bucket = buckets[at] as number;
    const first = at;
    while (at < buckets.length && buckets[at] === bucket) at++;
    const value = 1 + Math.log(at - first);
    indices[end] = bucket;
    values[end++] = value;
    squares += value * value;
  }
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  for (let at = begin; at < end; at++) values[at] = (values[at] as number) * scale;
  return end;
}
