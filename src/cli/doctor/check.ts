import { join } from "node:path";
import type { Forecast } from "../../pipeline/index.js";
import type { Host, Ran } from "./host.js";

/** What every check is told. */
export interface Context {
  host: Host;
  profile: string;
  /** What the profile needs: data, memory; resolves to nothing where that cannot be known, the check `profile` says why. */
  forecast: () => Promise<Forecast | undefined>;
  /** The folder of the profile's results. */
  outputs: string;
  cache: string;
  mirror: string | undefined;
  offline: boolean;
}

/** One thing to look at; its failure and its silence become lines. */
export interface Check {
  /** As in the report. */
  name: string;
  /** What it does, for who waits: "opening each backend". */
  doing: string;
  /** Milliseconds after which it is given up. */
  timeout: number;
  /** Whether its failure or silence means that nothing can run. */
  vital: boolean;
  run: (context: Context) => Promise<Line[]>;
}

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

/** The data that a run cannot do without: scorers that are only compared are left out where they are not here. */
export function required({ data }: Forecast): Forecast["data"] {
  return data.filter(({ parameters }) => parameters.some((name) => name !== "otherScorers"));
}

/** What a trial said of itself, or how its process ended without a word. */
export type Trial<T> = { said: T } | { refused: string } | { ended: string };

/**
 * Tries something in a process of its own (`trial.ts`), so that a crash there is an answer and not the end.
 *
 * @param args name of the trial and what it takes
 */
export async function attempt<T>(host: Host, args: readonly string[], timeoutMs: number): Promise<Trial<T>> {
  const script = join(host.root, "dist", "src", "cli", "doctor", "trial.js");
  return readTrial(await host.run(process.execPath, [script, ...args], timeoutMs), timeoutMs);
}

function readTrial<T>(ran: Ran, timeoutMs: number): Trial<T> {
  const line = /^TRIAL (.*)$/m.exec(ran.stdout)?.[1];
  if (line !== undefined) {
    const said = JSON.parse(line) as T & { refused?: string };
    return said.refused === undefined ? { said } : { refused: said.refused };
  }
  if (ran.failure === "timeout") return { ended: `no result after ${timeoutMs / 1000} s` };
  if (ran.failure === "missing") return { ended: "its process could not be started" };
  const last = ran.stderr
    .trim()
    .split("\n")
    .filter((text) => /error/i.test(text))
    .at(-1)
    ?.trim();
  const how = ran.signal ? `signal ${ran.signal}` : `exit code ${ran.code}`;
  return { ended: `its process ended with ${how}${last ? ` (${last.slice(0, 200)})` : ""}` };
}
