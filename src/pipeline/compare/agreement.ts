import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../present/claims/index.js";
import { hasClaims, readClaims } from "../claims.js";
import { readManifest } from "../manifest.js";
import type { Project } from "../project.js";
import { compareRuns, type RunDifference } from "./index.js";

/**
 * Float32 sums in another order differ by 1e-6; training and search amplify that. With the same kernels for matrix products
 * a run is equal to the last digit; with others some values in a hundred move beyond this, and no verdict changes.
 */
const AGREEMENT_TOLERANCE = { rtol: 1e-3, atol: 1e-6 };

/** How far a run agrees with the one of its profile that the repository carries. */
export interface Agreement {
  /** The committed run as `a`, this one as `b`. */
  difference: RunDifference;
  /** Claims that both runs have come to. */
  judged: number;
  /** Those of them with another verdict. */
  verdicts: { id: string; committed: Verdict; here: Verdict }[];
}

/**
 * Holds what lies in a project's output folder against the committed run of its profile, as `alignscope diff` does.
 *
 * @returns undefined where the repository carries no run of this profile and series, or this is it
 */
export function agreementWithCommitted({ committed, outputs, graph }: Project): Agreement | undefined {
  if (committed === outputs || !existsSync(join(committed, "manifest.json"))) return undefined;
  if (readManifest(committed).title !== graph.title) return undefined;
  const both = [committed, outputs].every(hasClaims)
    ? readClaims(committed).claims.flatMap(({ id, verdict }) => {
        const here = readClaims(outputs).claims.find((claim) => claim.id === id)?.verdict;
        const isThere = here !== undefined && here !== "not run" && here !== "incomplete";
        return isThere ? [{ id, committed: verdict, here }] : [];
      })
    : [];
  return {
    difference: compareRuns(committed, outputs, AGREEMENT_TOLERANCE),
    judged: both.length,
    verdicts: both.filter(({ committed, here }) => committed !== here),
  };
}
