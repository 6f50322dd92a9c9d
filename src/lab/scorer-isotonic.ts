import { registered } from "../data/registry.js";
import { mean } from "@alignscope/tensors/vectors";
import { readAs, type Reading } from "../scorers/attributes.js";
import type { CalibrationFile, KeptCalibration } from "../scorers/calibrations.js";
import { applyCurve } from "../scorers/isotonic.js";
import type { AttributeSource, ScoreOptions } from "../scorers/scorer.js";
import { fitIsotonic } from "./isotonic-fit.js";
import { REFERENCE_SETS, type ReferenceText } from "./scorer-reference.js";
import { hashFraction, HELD_OUT_SHARE, isHeldOutRtp, LAB_SEED } from "./splits.js";

/**
 * Whether a calibration may learn from a row of RealToxicityPrompts, named by its prompt: half of all rows, none of them
 * among those that the linear scorer's training held out, so that there every scorer is measured on texts new to it.
 */
export const isForIsotonic = (prompt: string, seed = LAB_SEED): boolean =>
  !isHeldOutRtp(prompt, LAB_SEED) && hashFraction(prompt, seed ^ 0x15c7) < 0.5 / (1 - HELD_OUT_SHARE.rtp);

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/**
 * Calibrations of a scorer to Perspective's scores of 2020, one per reading: isotonic regression on half of the
 * reference's rows, measured on the other half.
 *
 * @param texts `readReference()`
 */
export async function fitCalibrations(
  scorer: AttributeSource,
  texts: readonly ReferenceText[],
  { seed = LAB_SEED, ...options }: { readonly seed?: number } & ScoreOptions = {},
): Promise<CalibrationFile> {
  const attributes = await scorer.attributes(
    texts.map(({ text }) => text),
    options,
  );
  const forFit = texts.map(({ prompt }) => isForIsotonic(prompt, seed));
  const of = <T>(all: readonly T[], fit: boolean): T[] => all.filter((_, i) => forFit[i] === fit);
  const calibrations = (["max", "toxicity"] satisfies Reading[]).map((reading): KeptCalibration => {
    const scores = attributes.map((one) => readAs(one, reading));
    const targets = texts.map((one) => readAs(one.scores, reading));
    const curve = fitIsotonic(of(scores, true), of(targets, true));
    const heldOutTargets = of(targets, false);
    const errorOf = (values: readonly number[]): number =>
      rounded(mean(values.map((value, i) => Math.abs(value - (heldOutTargets[i] as number)))));
    return {
      scorer: scorer.name,
      identity: scorer.identity,
      reading,
      fit: {
        seed,
        texts: of(scores, true).length,
        sets: Object.fromEntries(REFERENCE_SETS.map((name) => [name, registered(name).sha256])),
      },
      heldOut: {
        texts: heldOutTargets.length,
        meanErrorBefore: errorOf(of(scores, false)),
        meanErrorAfter: errorOf(of(scores, false).map((score) => applyCurve(curve, score))),
      },
      ...curve,
    };
  });
  return { format: "alignscope-calibration", version: 1, calibrations };
}
