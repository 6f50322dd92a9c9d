import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { projectRoot } from "@alignscope/base/paths";
import type { NumberStyle } from "../format.js";

// What the paper claims is data (data/paper/claims.json): the wording, the published figures, and the bands that decide.

/** One number that a claim stands on, and how it is written. */
export interface ClaimMeasure extends NumberStyle {
  key: string;
  label: string;
  /** The paper's value of the same measure; null where it gives none. */
  paper: number | null;
  /** The band's lower end, itself inside. */
  atLeast?: number;
  /** The band's upper end, itself inside. Without either end the measure is reported and decides nothing. */
  atMost?: number;
  /** The notebook that measures it ("3.2", "A"), where several share the claim. */
  part?: string;
}

/** A claim of the paper, in our words, and how this project measures it. */
export interface PaperClaim {
  /** "C1" … "C22" */
  id: string;
  /** Section of the paper that makes it. */
  section: string;
  /** Names of the figures and tables that show it. */
  exhibits?: string[];
  title: string;
  /** What the paper says. */
  says: string;
  /** The paper's figure or figures, in words. */
  number: string;
  /** How it is measured here, and why the bands are what they are. */
  how: string;
  measures: ClaimMeasure[];
  /** What a reader must know before comparing. */
  note?: string;
}

/** Every claim, C1 to C22, in order. */
export function paperClaims(): PaperClaim[] {
  return JSON.parse(
    readFileSync(join(projectRoot(), "data", "paper", "claims.json"), "utf8"),
  ) as PaperClaim[];
}

/**
 * One claim by id.
 *
 * @throws UserError that names the known ones
 */
export function paperClaim(id: string): PaperClaim {
  const claims = paperClaims();
  const found = claims.find((claim) => claim.id === id);
  if (!found) {
    throw new UserError(`unknown claim ${id} (known: ${claims.map((claim) => claim.id).join(", ")})`);
  }
  return found;
}

/** The measures that a notebook answers for: all of them, or its own where several notebooks share the claim. */
export function measuresOf(claim: PaperClaim, part?: string): ClaimMeasure[] {
  return part === undefined
    ? claim.measures
    : claim.measures.filter((measure) => measure.part === undefined || measure.part === part);
}

/**
 * What became of a claim. "incomplete": some of its measures are still to come from other notebooks; "not run": no
 * notebook has spoken of it.
 */
export type Verdict = "holds" | "does not hold" | "not measurable" | "incomplete" | "not run";

/** Ends of a band, both inside; null is open. */
export interface Band {
  atLeast: number | null;
  atMost: number | null;
}

export interface JudgedMeasure {
  key: string;
  label: string;
  /** null: not measured */
  value: number | null;
  paper: number | null;
  /** null: reported, decides nothing */
  band: Band | null;
  /** null where there is no value or no band */
  within: boolean | null;
}

export interface JudgedClaim {
  id: string;
  verdict: Verdict;
  measures: JudgedMeasure[];
  /** Why something could not be measured, or what is still to come. */
  reason?: string;
}

/** Values by the measures' keys; null for one that this run cannot measure, and then `reason` says why. */
export type Measured = Readonly<Record<string, number | null | string | undefined>> & {
  readonly reason?: string;
};

/**
 * The verdict on one claim.
 *
 * A measure outside its band makes the claim not hold, whatever else is missing; otherwise a measure that is null makes
 * it not measurable.
 *
 * @param id "C1" … "C22"
 * @param measured every measure of the claim, or the reason why this run cannot measure any
 * @param options.part the notebook that speaks, e.g. "3.2": it answers for its own measures of a claim that several
 *   notebooks share, and the verdict is "incomplete" then
 * @example judge("C10", { tensorMin: 0.9998, rowMin: 0.997 }).verdict // "holds"
 * @throws UserError in one line for an unknown claim or measure, one that is missing or not a number, a null without reason
 */
export function judge(
  id: string,
  measured: Measured | string,
  { part }: { part?: string } = {},
): JudgedClaim {
  const claim = paperClaim(id);
  const own = measuresOf(claim, part);
  if (own.length === 0) {
    const parts = [...new Set(claim.measures.map((measure) => measure.part))].join(" and ");
    throw new UserError(`claim ${id} is measured in parts ${parts}, not in ${part}`);
  }
  const values = typeof measured === "string" ? {} : measured;
  const reason = typeof measured === "string" ? measured : measured.reason;
  if (typeof measured !== "string") check(id, own, measured);
  const cannot = typeof measured === "string" || own.some(({ key }) => values[key] === null);
  if (cannot && !reason?.trim()) {
    throw new UserError(
      `claim ${id} is not measured and no reason is given: give a text instead of measures, or \`reason\` beside those that are null`,
    );
  }
  const judged = own.map((measure) => judgeMeasure(measure, (values[measure.key] ?? null) as number | null));
  const open = claim.measures.filter((measure) => !own.includes(measure));
  return {
    id,
    verdict: open.length > 0 ? "incomplete" : verdictOf(judged),
    measures: judged,
    ...(cannot && reason !== undefined ? { reason: reason.trim() } : {}),
    ...(open.length > 0 && !cannot ? { reason: waitsFor(open) } : {}),
  };
}

/** Of measures that are all there. */
export function verdictOf(measures: readonly JudgedMeasure[]): Verdict {
  if (measures.some(({ within }) => within === false)) return "does not hold";
  return measures.some(({ value }) => value === null) ? "not measurable" : "holds";
}

export function judgeMeasure(measure: ClaimMeasure, value: number | null): JudgedMeasure {
  const { key, label, paper, atLeast, atMost } = measure;
  const band =
    atLeast === undefined && atMost === undefined
      ? null
      : { atLeast: atLeast ?? null, atMost: atMost ?? null };
  const within =
    value === null || band === null ? null : value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
  return { key, label, value, paper, band, within };
}

/** "waits for what B measures: further vectors with a constant shift" */
export function waitsFor(open: readonly ClaimMeasure[]): string {
  const parts = [...new Set(open.map(({ part }) => part))].join(" and ");
  return `waits for what ${parts} measures: ${open.map(({ label }) => label).join("; ")}`;
}

function check(id: PaperClaim["id"], own: readonly ClaimMeasure[], measured: Measured): void {
  const keys = own.map(({ key }) => key);
  const known = `its measures: ${keys.join(", ")}`;
  for (const key of Object.keys(measured)) {
    if (key !== "reason" && !keys.includes(key))
      throw new UserError(`claim ${id} has no measure ${key} (${known})`);
  }
  for (const key of keys) {
    const value = measured[key];
    if (value === undefined) throw new UserError(`claim ${id} lacks its measure ${key} (${known})`);
    if (value !== null && !Number.isFinite(value)) {
      throw new UserError(
        `claim ${id}: ${key} is ${String(value)}, expected a finite number, or null and a reason`,
      );
    }
  }
  if (measured.reason !== undefined && keys.every((key) => measured[key] !== null)) {
    throw new UserError(
      `claim ${id} has a reason though everything is measured: leave it out, or make a measure null`,
    );
  }
}
