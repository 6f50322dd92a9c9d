/**
 * - `ok`: as it should be.
 * - `note`: works, but something could be better, or is not needed here.
 * - `problem`: something that is asked for does not work.
 */
export type Sign = "ok" | "note" | "problem";

/** One thing that was looked at. */
export interface Line {
  /** What was looked at, the same in every run: `node`, `backend wasm`. */
  what: string;
  sign: Sign;
  /** What was found, in words. */
  found: string;
  /** What to do, one sentence; null where nothing is to be done, never null with a problem. */
  remedy: string | null;
  /** Whether the profile cannot run because of this; only of a problem. */
  stops: boolean;
  /** Numbers and names behind the words, for machines; which ones depends on `what`. */
  details: Readonly<Record<string, string | number | boolean | null>>;
}

/** What `alignscope doctor --json` prints. Fields are added, never renamed; `format` counts up when one goes. */
export interface Report {
  format: 1;
  /** The profile whose needs were looked at. */
  profile: string;
  /** Whether that profile can run: no line stops it. The exit code is 0 then, else 1. */
  runs: boolean;
  /** Milliseconds from begin to end. */
  milliseconds: number;
  checks: CheckedLines[];
}

/** The lines of one check, in the order of the list of checks. */
export interface CheckedLines {
  /** The check: `node`, `build`, `kernel`, `backends`, `blas`, `gpu`, `memory`, `disk`, `tools`, `network`, `data`, `jupyter`. */
  check: string;
  milliseconds: number;
  lines: Line[];
}

type Details = Line["details"];

export function ok(what: string, found: string, details: Details = {}): Line {
  return { what, sign: "ok", found, remedy: null, stops: false, details };
}

export function note(what: string, found: string, remedy: string | null, details: Details = {}): Line {
  return { what, sign: "note", found, remedy, stops: false, details };
}

/** @param stops whether the profile cannot run because of it; default: it cannot */
export function problem(
  what: string,
  found: string,
  remedy: string,
  details: Details = {},
  stops = true,
): Line {
  return { what, sign: "problem", found, remedy, stops, details };
}
