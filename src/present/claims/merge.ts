import {
  type ClaimMeasure,
  judgeMeasure,
  type JudgedClaim,
  type PaperClaim,
  paperClaims,
  type Verdict,
  verdictOf,
  waitsFor,
} from "./judge.js";

/** What one notebook left in `claims/PART.json`. */
export interface ClaimsFile {
  /** Section or appendix: "5.1", "B". */
  part: string;
  claims: JudgedClaim[];
}

/** The same with its notebook. */
export interface NotebookClaims extends ClaimsFile {
  notebook: string;
  /** Why its results are of an earlier run, if they are. */
  earlier?: string;
}

/** Where a claim was measured. */
export interface ClaimPlace {
  notebook: string;
  /** Id of the cell that says so. */
  cell: string;
  earlier?: string;
}

/** The verdict of a whole run on one claim. */
export interface RunClaim extends JudgedClaim {
  section: string;
  title: string;
  places: ClaimPlace[];
}

/** The cell of a notebook that speaks of claims. */
const CLAIMS_CELL = "claims";

/**
 * The verdicts of a run on all 22 claims, in order. Measures of a claim that several notebooks share are put together;
 * there is a verdict when all of them are there. What is measured is judged by the catalogue as it is now: a later
 * notebook's value of the same measure counts, and one that the catalogue no longer knows is left out.
 */
export function mergeClaims(notebooks: readonly NotebookClaims[]): RunClaim[] {
  return paperClaims().map((claim) => {
    const speaking = notebooks.flatMap((notebook) =>
      notebook.claims.filter(({ id }) => id === claim.id).map((said) => ({ ...notebook, said })),
    );
    const places = speaking.map(({ notebook, earlier }) => ({
      notebook,
      cell: CLAIMS_CELL,
      ...(earlier === undefined ? {} : { earlier }),
    }));
    const said = speaking.map(({ said }) => said);
    const { id, section, title } = claim;
    return { id, section, title, ...together(claim, said), places };
  });
}

function together(
  claim: PaperClaim,
  said: readonly JudgedClaim[],
): Pick<RunClaim, "verdict" | "measures" | "reason"> {
  if (said.length === 0) {
    return { verdict: "not run", measures: [], reason: "no notebook that has run speaks of it" };
  }
  const values = new Map(said.flatMap(({ measures }) => measures.map(({ key, value }) => [key, value])));
  const there = claim.measures.filter(({ key }) => values.has(key));
  const open = claim.measures.filter(({ key }) => !values.has(key));
  const measures = there.map((measure) => judgeMeasure(measure, values.get(measure.key) ?? null));
  if (open.length > 0) return { verdict: "incomplete", measures, reason: whatIsOpen(open) };
  const verdict = verdictOf(measures);
  const reasons = said.flatMap(({ reason, measures: own }) =>
    reason !== undefined && own.some(({ value }) => value === null) ? [reason] : [],
  );
  return { verdict, measures, ...(reasons.length > 0 ? { reason: [...new Set(reasons)].join("; ") } : {}) };
}

function whatIsOpen(open: readonly ClaimMeasure[]): string {
  const [unshared] = open.filter(({ part }) => part === undefined);
  return unshared ? `its notebook has not measured ${unshared.label}: run it again` : waitsFor(open);
}

/** How many claims have each verdict. */
export function countVerdicts(claims: readonly Pick<JudgedClaim, "verdict">[]): Record<Verdict, number> {
  const counts = { holds: 0, "does not hold": 0, "not measurable": 0, incomplete: 0, "not run": 0 };
  for (const { verdict } of claims) counts[verdict] += 1;
  return counts;
}

/** "15 hold, 4 do not, 3 cannot be measured here" */
export function countsText(claims: readonly Pick<JudgedClaim, "verdict">[]): string {
  const counts = countVerdicts(claims);
  const words: [number, string, string][] = [
    [counts.holds, "holds", "hold"],
    [counts["does not hold"], "does not", "do not"],
    [counts["not measurable"], "cannot be measured here", "cannot be measured here"],
    [counts.incomplete, "is measured in part", "are measured in part"],
    [counts["not run"], "has not been run", "have not been run"],
  ];
  return words
    .filter(([count], i) => count > 0 || i < 2)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`)
    .join(", ");
}
