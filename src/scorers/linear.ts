import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Of } from "@alignscope/base/checksum";
import { messageOf, parseJson, UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import { type Calibration, isCalibration, scoreOfLogit } from "./calibration.js";
import { featureCount, featuresOf, type FeatureSettings } from "./ngrams.js";
import type { AttributeScores } from "./attributes.js";
import type { AttributeSource, Scorer } from "./scorer.js";

export const WEIGHTS_FILE = "weights.bin";
export const META_FILE = "scorer.json";

/** What `scorer.json` says about the weights beside it. */
export interface LinearScorerMeta {
  readonly format: "alignscope-linear-scorer";
  readonly version: 1;
  readonly features: FeatureSettings;
  /** The largest |weight| of each table; see {@link weightOf}. */
  readonly largest: { readonly words: number; readonly characters: number };
  /** From the classifier's log-odds to Perspective's 2020 TOXICITY. */
  readonly calibration: Calibration;
  readonly weights: { readonly file: string; readonly bytes: number; readonly sha256: string };
}

/** One byte per weight, finer near zero, where most weights are: largest · sign(code) · (code / 127)². */
export function weightOf(code: number, largest: number): number {
  return (largest * code * Math.abs(code)) / (127 * 127);
}

/** The byte whose {@link weightOf} is nearest in code space. */
export function codeOf(weight: number, largest: number): number {
  return largest > 0 ? Math.round(127 * Math.sign(weight) * Math.sqrt(Math.abs(weight) / largest)) : 0;
}

/** `data/lab/scorer` of this project. */
export function embeddedScorerFolder(): string {
  return join(projectRoot(), "data", "lab", "scorer");
}

/**
 * The project's own toxicity scorer: a linear classifier over hashed word and character n-grams, trained on Jigsaw's
 * labels and Perspective's scores (see the card in its folder). A score is on the scale of Perspective's 2020 TOXICITY
 * attribute, 0 to 1; an empty or blank text scores 0.
 */
export class LinearScorer implements Scorer, AttributeSource {
  readonly name = "linear";
  readonly attributeNames = ["TOXICITY"] as const;

  private constructor(
    readonly meta: LinearScorerMeta,
    private readonly codes: Int8Array,
    private readonly words: Float64Array,
    private readonly characters: Float64Array,
  ) {}

  get identity(): string {
    return `linear:${this.meta.weights.sha256}`;
  }

  /** @param codes one byte per feature, word table first: {@link codeOf} */
  static of(meta: LinearScorerMeta, codes: Int8Array): LinearScorer {
    const table = (largest: number) =>
      Float64Array.from({ length: 256 }, (_, i) => weightOf(i - 128, largest));
    return new LinearScorer(meta, codes, table(meta.largest.words), table(meta.largest.characters));
  }

  /**
   * Reads `scorer.json` and `weights.bin` of a folder.
   *
   * @throws UserError when one is missing, is not what it should be, or the weights' sha256 is not the one recorded
   */
  static load(folder: string = embeddedScorerFolder()): LinearScorer {
    const meta = readMeta(join(folder, META_FILE));
    const path = join(folder, WEIGHTS_FILE);
    const bytes = readPart(path);
    const got = sha256Of(bytes);
    if (got !== meta.weights.sha256) {
      throw new UserError(
        `corrupted file ${path}: sha256 is ${got} (${bytes.length} bytes), expected ${meta.weights.sha256} ` +
          `(${meta.weights.bytes} bytes); ${remedy}`,
      );
    }
    if (bytes.length !== featureCount(meta.features)) {
      throw new UserError(
        `${path} has ${bytes.length} weights, expected ${featureCount(meta.features)} by ${META_FILE}; ${remedy}`,
      );
    }
    return LinearScorer.of(meta, new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  /** The classifier's log-odds before calibration; undefined for a text with nothing to read. */
  logit(text: string): number | undefined {
    const { indices, values } = featuresOf(text, this.meta.features);
    if (indices.length === 0) return undefined;
    const firstCharacter = 2 ** this.meta.features.wordBits;
    let sum = 0;
    for (let k = 0; k < indices.length; k += 1) {
      const index = indices[k] as number;
      const table = index < firstCharacter ? this.words : this.characters;
      sum += (values[k] as number) * (table[(this.codes[index] as number) + 128] as number);
    }
    return sum;
  }

  /** The score of one text, 0 to 1. */
  scoreOne(text: string): number {
    const logit = this.logit(text);
    return logit === undefined ? 0 : scoreOfLogit(logit, this.meta.calibration);
  }

  score(texts: readonly string[]): Promise<number[]> {
    return Promise.resolve(texts.map((text) => this.scoreOne(text)));
  }

  attributes(texts: readonly string[]): Promise<AttributeScores[]> {
    return Promise.resolve(texts.map((text) => ({ TOXICITY: this.scoreOne(text) })));
  }
}

const remedy =
  "restore the folder (`git checkout -- data/lab/scorer`) or rebuild it with `npx alignscope lab build`";

function readPart(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot read a part of the linear scorer: ${messageOf(error)}; ${remedy}`);
  }
}

function readMeta(path: string): LinearScorerMeta {
  const meta = parseJson<Partial<LinearScorerMeta> | null>(
    readPart(path).toString("utf8"),
    (why) => `${path} is not JSON (${why}); ${remedy}`,
  );
  if (meta?.format !== "alignscope-linear-scorer" || meta.version !== 1) {
    throw new UserError(
      `${path} has format ${String(meta?.format)} version ${String(meta?.version)}, ` +
        `expected alignscope-linear-scorer version 1; ${remedy}`,
    );
  }
  const numbers = [
    meta.features?.wordBits,
    meta.features?.characterBits,
    meta.largest?.words,
    meta.largest?.characters,
    meta.weights?.bytes,
  ];
  if (
    !numbers.every(Number.isFinite) ||
    !isCalibration(meta.calibration) ||
    typeof meta.weights?.sha256 !== "string"
  ) {
    throw new UserError(
      `${path} lacks a part, expected features, largest, calibration and weights with their numbers; ${remedy}`,
    );
  }
  return meta as LinearScorerMeta;
}
