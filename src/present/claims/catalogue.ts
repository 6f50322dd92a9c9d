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
