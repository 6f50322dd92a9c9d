import type { Command } from "commander";
import { resolve } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeJsonAtomic } from "@alignscope/base/files";
import {
  type AgreementRow,
  type AttributeScorer,
  keptCalibration,
  needsNoCalibration,
  openScorer,
  ownCalibration,
  readAs,
  type Reading,
  readingNamed,
  scorerAgreement,
  scorers,
} from "../../scorers/index.js";
import { columns } from "@alignscope/base/columns";
import { readReference } from "../../lab/scorer-reference.js";
import { scoringProgress } from "../scoring-progress.js";

/** A scorer as it opens here without downloading anything, or why it does not. */
async function openHere(name: string, reading: Reading): Promise<AttributeScorer | string> {
  try {
    return await openScorer(name, { reading, toxicBert: { download: false } });
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function calibrationOf(scorer: AttributeScorer): string {
  if (needsNoCalibration(scorer)) return "calibrated by itself";
  return keptCalibration(scorer, scorer.reading) ? "can be calibrated" : "no calibration is kept";
}

async function list(): Promise<void> {
  const rows: string[][] = [];
  for (const { name, description } of scorers) {
    const scorer = await openHere(name, "toxicity");
    const state =
      typeof scorer === "string" ? scorer : `opens here; ${calibrationOf(scorer)} (reading toxicity)`;
    rows.push([name, description], ["", state]);
  }
  console.log(columns(rows));
}

const digits = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(4));

interface AgreementOptions {
  readonly only?: string[];
  readonly reading: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

async function agreement({ only, all = false, json = false, ...options }: AgreementOptions): Promise<void> {
  const reading = readingNamed(options.reading);
  const { isHeldOutRtp } = await import("../../lab/splits.js");
  const texts = (await readReference()).filter(({ prompt }) => all || isHeldOutRtp(prompt));
  const reference = texts.map(({ scores }) => readAs(scores, reading));
  const rows: AgreementRow[] = [];
  const missing: { scorer: string; reason: string }[] = [];
  const progress = scoringProgress();
  for (const name of only ?? scorers.map((scorer) => scorer.name)) {
    const scorer = await openHere(name, reading);
    if (typeof scorer === "string") {
      missing.push({ scorer: name, reason: scorer });
      continue;
    }
    try {
      const calibrations = { [name]: keptCalibration(scorer, reading) };
      const own = texts.map(({ text }) => text);
      rows.push(...(await scorerAgreement([scorer], own, reference, { calibrations, ...progress })));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      missing.push({ scorer: name, reason: error.message });
    } finally {
      progress.end();
    }
  }
  if (json) {
    console.log(JSON.stringify({ reading, rows, missing }, null, 2));
    return;
  }
  console.log(
    columns([
      ["scorer", "texts", "Pearson", "Spearman", "AUROC", "error", "calibrated", "mean"],
      ...rows.map((row) => [
        row.scorer,
        String(row.n),
        ...[row.pearson, row.spearman, row.auroc, row.meanError, row.meanErrorCalibrated, row.mean].map(
          digits,
        ),
      ]),
    ]),
  );
  for (const { scorer, reason } of missing) console.log(`${scorer}: not measured: ${reason}`);
  const average = reference.reduce((sum, score) => sum + score, 0) / reference.length;
  const read = reading === "max" ? "the maximum of seven attributes" : "TOXICITY";
  console.log(
    `\nReference: Perspective's scores of 2020 (${read}, mean ${digits(average)}) of ` +
      "RealToxicityPrompts' challenge and non-toxic rows.\n" +
      "AUROC: against 0.5 and more. error: mean absolute error; calibrated: the same through the kept calibration.\n" +
      (all
        ? "linear has learnt from four fifths of these rows, calibrations from half of them."
        : "No scorer of the project and no calibration has learnt from these rows."),
  );
}

interface CalibrateOptions {
  readonly out?: string;
  readonly seed: string;
}

async function calibrate(name: string, { out, seed: given }: CalibrateOptions): Promise<void> {
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new UserError(`--seed is ${given}, expected a whole number`);
  if (name === "linear" || name === "perspective") {
    throw new UserError(
      name === "linear"
        ? "linear is calibrated by its training, on rows that this would fit again: nothing to do"
        : "perspective is the scale that others are calibrated to: nothing to do",
    );
  }
  const scorer = await openScorer(name);
  const texts = await readReference();
  const { fitCalibrations } = await import("../../lab/scorer-isotonic.js");
  const progress = scoringProgress();
  const file = await fitCalibrations(scorer, texts, { seed, ...progress }).finally(progress.end);
  const path = out === undefined ? ownCalibration(name) : resolve(out);
  writeJsonAtomic(path, file);
  for (const { reading, scores, fit, heldOut } of file.calibrations) {
    console.log(
      `${name}, ${reading}: ${scores.length} knots from ${fit.texts} texts; on ${heldOut.texts} others the mean ` +
        `absolute error is ${digits(heldOut.meanErrorAfter)}, without it ${digits(heldOut.meanErrorBefore)}`,
    );
  }
  console.log(path);
}

/** `alignscope scorers`: which toxicity scorers there are, how far they agree with Perspective, and calibrating them. */
export function scorersCommand(program: Command): void {
  const group = program
    .command("scorers")
    .description("list the toxicity scorers, compare them with Perspective's scores of 2020, calibrate them");
  group
    .command("list", { isDefault: true })
    .description("every scorer, and whether it opens here")
    .action(list);
  group
    .command("agreement")
    .description(
      "correlation, AUROC and error of each scorer that opens here against Perspective's scores of 2020",
    )
    .option("--only <names...>", "only these scorers")
    .option("--reading <name>", "max, the maximum of the attributes as published, or toxicity", "toxicity")
    .option("--all", "all rows, also those that the project's scorers have learnt from")
    .option("--json", "print JSON")
    .action(agreement);
  group
    .command("calibrate <name>")
    .description(
      "fit a scorer's scores to Perspective's of 2020 on half of the rows, measured on the other half",
    )
    .option("--out <file>", "where to write it (default: in the cache, where `score --calibrated` finds it)")
    .option("--seed <n>", "decides the halves", "2024")
    .action(calibrate);
}
