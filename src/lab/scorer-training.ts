import { join } from "node:path";
import { sha256Of } from "@alignscope/base/checksum";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { codeOf, LinearScorer, type LinearScorerMeta, META_FILE, WEIGHTS_FILE } from "../scorers/linear.js";
import type { FeatureSettings } from "../scorers/ngrams.js";
import { scorerCard, type TextsBySource, type TrainedScorerMeta } from "./scorer-card.js";
import { isForCalibration, loadScorerData, type ScorerExample } from "./scorer-data.js";
import { measureScorer } from "./scorer-figures.js";
import { fitCalibration } from "./scorer-calibration.js";
import { fitWeights, type FitSettings } from "./scorer-fit.js";
import { LAB_SEED } from "./splits.js";

/** 1.5 MB in all at a byte per weight. */
const SCORER_FEATURES: FeatureSettings = { wordBits: 19, characterBits: 20 };

/** Found by fitting on four fifths of the training texts and looking at the fifth; the optimum is flat. */
const SCORER_FIT: FitSettings = { l2: 0.3, smoothing: 1, wordFactor: 1.5, iterations: 40 };

export interface ScorerTrainingOptions {
  /** The folder with the public data sets; without one they are found as the registry says. */
  readonly mirror?: string;
  /** Decides the hold-outs and everything else that is random. */
  readonly seed?: number;
  readonly features?: FeatureSettings;
  readonly fit?: FitSettings;
  readonly onProgress?: (progress: ScorerProgress) => void;
}

export interface ScorerProgress {
  readonly stage: "reading" | "fitting for the calibration" | "fitting" | "measuring";
  /** Passes over the training texts in this stage, and about how many there will be. */
  readonly done: number;
  readonly total: number;
}

function countsOf(training: readonly ScorerExample[]): TextsBySource {
  const count = (is: (example: ScorerExample) => boolean): number => training.filter(is).length;
  return {
    jigsaw: count(({ source }) => source === "jigsaw"),
    realToxicityPrompts: count(({ perspective }) => perspective),
    paradetox: count(({ source }) => source === "paradetox"),
    wikitext: count(({ source, perspective }) => source === "rtp-continuation" && !perspective),
  };
}

/**
 * Trains the linear toxicity scorer and writes `weights.bin`, `scorer.json` and the card `README.md` into `outFolder`.
 * The same data and seed give the same bytes. Takes about a minute of one core and 0.6 GB of memory.
 *
 * @returns what was written to `scorer.json`; its figures were measured with the stored one-byte weights
 * @throws UserError when a data set is missing or corrupted; nothing is written then
 */
export async function trainScorer(
  outFolder: string,
  {
    mirror,
    seed = LAB_SEED,
    features = SCORER_FEATURES,
    fit = SCORER_FIT,
    onProgress,
  }: ScorerTrainingOptions = {},
): Promise<TrainedScorerMeta> {
  onProgress?.({ stage: "reading", done: 0, total: 1 });
  const { training, heldOut, leftOut } = await loadScorerData(mirror, seed);
  onProgress?.({ stage: "reading", done: 1, total: 1 });

  const fitted = (stage: ScorerProgress["stage"], examples: readonly ScorerExample[]) =>
    fitWeights(examples, features, fit, (pass) =>
      onProgress?.({ stage, done: Math.min(pass, fit.iterations), total: fit.iterations }),
    );
  const aside = training.filter(({ text, perspective }) => perspective && isForCalibration(text, seed));
  const asideTexts = new Set(aside);
  const calibration = calibrate(
    stored(
      fitted(
        "fitting for the calibration",
        training.filter((example) => !asideTexts.has(example)),
      ),
      features,
      { logits: [0], scores: [0.5] },
    ).scorer,
    aside,
  );
  const { scorer, bytes } = stored(fitted("fitting", training), features, calibration);

  onProgress?.({ stage: "measuring", done: 0, total: 1 });
  const figures = await measureScorer(scorer, heldOut);
  onProgress?.({ stage: "measuring", done: 1, total: 1 });

  const meta: TrainedScorerMeta = {
    ...scorer.meta,
    training: {
      seed,
      texts: training.length,
      textsBySource: countsOf(training),
      leftOut,
      fit,
    },
    figures,
  };
  writeFileAtomic(join(outFolder, WEIGHTS_FILE), bytes);
  writeJsonAtomic(join(outFolder, META_FILE), meta);
  writeFileAtomic(join(outFolder, "README.md"), scorerCard(meta));
  return meta;
}

function calibrate(
  scorer: LinearScorer,
  examples: readonly ScorerExample[],
): LinearScorerMeta["calibration"] {
  const read = examples.flatMap(({ text, target }) => {
    const logit = scorer.logit(text);
    return logit === undefined ? [] : [{ logit, target }];
  });
  return fitCalibration(
    read.map(({ logit }) => logit),
    read.map(({ target }) => target),
  );
}

/** The scorer with its weights as they are stored, a byte each. */
function stored(
  weights: Float64Array,
  features: FeatureSettings,
  calibration: LinearScorerMeta["calibration"],
): { scorer: LinearScorer; bytes: Buffer } {
  const firstCharacter = 2 ** features.wordBits;
  const largestOf = (part: Float64Array): number => part.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
  const largest = {
    words: largestOf(weights.subarray(0, firstCharacter)),
    characters: largestOf(weights.subarray(firstCharacter)),
  };
  const codes = Int8Array.from(weights, (weight, i) =>
    codeOf(weight, i < firstCharacter ? largest.words : largest.characters),
  );
  const bytes = Buffer.from(codes.buffer, codes.byteOffset, codes.byteLength);
  const meta: LinearScorerMeta = {
    format: "alignscope-linear-scorer",
    version: 1,
    features,
    largest,
    calibration,
    weights: { file: WEIGHTS_FILE, bytes: bytes.length, sha256: sha256Of(bytes) },
  };
  return { scorer: LinearScorer.of(meta, codes), bytes };
}
