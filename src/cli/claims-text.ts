import { countsText, measuredText, type RunClaim, type Verdict } from "../present/claims/index.js";
import { columns } from "@alignscope/base/columns";

/** The verdicts of a run: a line for each claim, and how many there are of each kind. */
export function claimsText(claims: readonly RunClaim[], width = process.stdout.columns): string {
  const rows = claims.map((claim) => {
    const earlier = claim.places.some((place) => place.earlier !== undefined) ? " (of an earlier run)" : "";
    return [claim.id, claim.title, claim.verdict + earlier, measuredText(claim)];
  });
  const lines = columns(rows)
    .split("\n")
    .map((line) => (width && line.length > width ? `${line.slice(0, width - 1)}…` : line));
  return `${lines.join("\n")}\n\n${claims.length} claims: ${countsText(claims)}.`;
}

/** A run's verdicts with the name that it is called by. */
export interface NamedRun {
  name: string;
  claims: readonly RunClaim[];
}

/**
 * Claims that hold in one run and do not in another. A run that does not measure a claim says nothing against it.
 *
 * @returns ids, in order
 */
export function unstableClaims(runs: readonly NamedRun[]): string[] {
  const ids = [...new Set(runs.flatMap(({ claims }) => claims.map(({ id }) => id)))];
  return ids.filter((id) => {
    const verdicts = runs.map((run) => verdictIn(run, id));
    return verdicts.includes("holds") && verdicts.includes("does not hold");
  });
}

/** The verdicts of several runs side by side, and which of them differ. */
export function comparisonText(runs: readonly NamedRun[]): string {
  const unstable = unstableClaims(runs);
  const [first] = runs;
  const rows = (first?.claims ?? []).map(({ id, title }) => [
    id,
    title,
    ...runs.map((run) => verdictIn(run, id)),
    unstable.includes(id) ? "NOT STABLE" : "",
  ]);
  const said = unstable.map(
    (id) => `${id} (${runs.map((run) => `${verdictIn(run, id)} in ${run.name}`).join(", ")})`,
  );
  return [
    columns([["", "", ...runs.map(({ name }) => name), ""], ...rows]),
    "",
    unstable.length === 0
      ? `No verdict differs between the ${runs.length} runs.`
      : `${unstable.length} not stable: ${said.join("; ")}.`,
  ].join("\n");
}

function verdictIn({ claims }: NamedRun, id: string): Verdict {
  return claims.find((claim) => claim.id === id)?.verdict ?? "not run";
}
