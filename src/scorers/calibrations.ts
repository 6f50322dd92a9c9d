import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseJson, UserError } from "@alignscope/base/errors";
import { cacheFolder, projectRoot } from "@alignscope/base/paths";
import { readText } from "../data/readers.js";
import type { Reading } from "./attributes.js";
import { calibrated, type Calibration } from "./isotonic.js";
import type { AttributeScorer } from "./scorer.js";

/** How well a calibration does on texts that it was not fitted on. */
export interface CalibrationFigures {
  readonly texts: number;
  /** Mean of |score − Perspective's|, of the scores as they are and through the curve. */
  readonly meanErrorBefore: number;
  readonly meanErrorAfter: number;
}

/** A calibration as it is kept, with what it was made from and what it shows. */
export interface KeptCalibration extends Calibration {
  readonly fit: {
    readonly seed: number;
    readonly texts: number;
    /** The data sets by their names in the registry, with their sha256. */
    readonly sets: Readonly<Record<string, string>>;
  };
  readonly heldOut: CalibrationFigures;
}

/** The calibrations of one scorer, one per reading. */
export interface CalibrationFile {
  readonly format: "alignscope-calibration";
  readonly version: 1;
  readonly calibrations: readonly KeptCalibration[];
}

/** Where the repository's own calibrations lie. */
export function embeddedCalibration(scorer: string): string {
  return join(projectRoot(), "data", "calibrations", `${scorer}.json`);
}

/** Where `alignscope scorers calibrate` puts those that it makes. */
export function ownCalibration(scorer: string): string {
  return join(cacheFolder(), "calibrations", `${scorer}.json`);
}

function read(path: string): CalibrationFile {
  const file = parseJson<Partial<CalibrationFile> | null>(
    readText(path),
    (why) => `${path} is not JSON (${why})`,
  );
  const numbers = (list: unknown): list is number[] => Array.isArray(list) && list.every(Number.isFinite);
  const fits =
    file?.format === "alignscope-calibration" &&
    file.version === 1 &&
    Array.isArray(file.calibrations) &&
    file.calibrations.every(
      ({ scores, targets }) =>
        numbers(scores) && numbers(targets) && scores.length === targets.length && scores.length > 0,
    );
  if (fits) return file as CalibrationFile;
  throw new UserError(`${path} is not a file of calibrations: expected alignscope-calibration version 1`);
}

/**
 * The kept calibration of this version of a scorer for a reading: the reader's own, else the repository's.
 *
 * @returns undefined where there is none
 * @throws UserError when a file is damaged
 */
export function keptCalibration(
  scorer: Pick<AttributeScorer, "name" | "identity">,
  reading: Reading,
): KeptCalibration | undefined {
  for (const path of [ownCalibration(scorer.name), embeddedCalibration(scorer.name)]) {
    if (!existsSync(path)) continue;
    const found = read(path).calibrations.find(
      (one) => one.scorer === scorer.name && one.identity === scorer.identity && one.reading === reading,
    );
    if (found) return found;
  }
  return undefined;
}

/** On Perspective's scale of 2020 as they are: Perspective itself, and `linear` for TOXICITY by its training. */
export function needsNoCalibration({ name, reading }: Pick<AttributeScorer, "name" | "reading">): boolean {
  return name === "perspective" || (name === "linear" && reading === "toxicity");
}

/**
 * `scorer` with its kept calibration; one that needs none stays as it is.
 *
 * @throws UserError when none is kept: says how one is made
 */
export function withKeptCalibration(scorer: AttributeScorer): AttributeScorer {
  if (needsNoCalibration(scorer)) return scorer;
  const calibration = keptCalibration(scorer, scorer.reading);
  if (calibration) return calibrated(scorer, calibration);
  throw new UserError(
    scorer.name === "linear"
      ? "linear is calibrated to TOXICITY by its training and has no calibration to the maximum of the attributes: read it as toxicity (--reading toxicity)"
      : `no calibration of ${scorer.name} for the reading ${scorer.reading} is kept: ` +
          `make one with \`npx alignscope scorers calibrate ${scorer.name}\` (needs the scored RealToxicityPrompts sets)`,
  );
}
