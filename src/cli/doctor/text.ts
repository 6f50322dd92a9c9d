import type { Report } from "./report.js";

const SIGNS = { ok: "ok     ", note: "note   ", problem: "PROBLEM" } as const;

/** A report for people: a line for each thing, below it what to do, and at the end whether the profile can run. */
export function reportText({ checks, profile, runs, milliseconds }: Report): string {
  const lines = checks.flatMap((check) => check.lines);
  const width = Math.max(...lines.map(({ what }) => what.length), 0);
  const indent = " ".repeat(SIGNS.ok.length + width + 4);
  const all = lines.map(({ sign, what, found, remedy }) => {
    const said = `${SIGNS[sign]}  ${what.padEnd(width)}  ${found}`;
    return remedy === null ? said : `${said}\n${indent}-> ${remedy}`;
  });
  const stopping = lines.filter(({ stops }) => stops).map(({ what }) => what);
  const verdict = runs
    ? `The profile ${profile} can run.`
    : `The profile ${profile} cannot run: mend ${stopping.join(", ")}.`;
  return `${all.join("\n")}\n\n${verdict} (looked at in ${(milliseconds / 1000).toFixed(1)} s)`;
}
