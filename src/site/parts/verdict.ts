import type { Verdict } from "../../present/claims/index.js";

/** A sign before the words, so that a list of verdicts can be skimmed without colours. */
const SIGNS: Record<Verdict, [sign: string, kind: string]> = {
  holds: ["✓", "good"],
  "does not hold": ["✗", "bad"],
  "not measurable": ["○", "open"],
  incomplete: ["◐", "open"],
  "not run": ["–", "open"],
};

/** "✓ holds", in the verdict's colour. */
export function verdictBadge(verdict: Verdict): string {
  const [sign, kind] = SIGNS[verdict];
  return `<span class="verdict ${kind}"><span aria-hidden="true">${sign}</span> ${verdict}</span>`;
}
