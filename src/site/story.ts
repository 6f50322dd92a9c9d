import { percent } from "../present/index.js";
import type { RunClaim } from "../present/claims/index.js";
import { escape as escapeHtml } from "html-escaper";
import type { Site } from "./site.js";

/** A step of the study: what the paper found, and what this run measured of it. */
interface Step {
  title: string;
  /** the paper's finding, in a sentence */
  paper: string;
  /** the claim and measure that say how it is here, and how to say it */
  claim: string;
  measure: string;
  here: (value: number) => string;
  /** the measure as a share that the paper's value is given in as well; default: as it is */
  share?: (value: number) => number;
}

/** The study in four steps; every number is a measure of a claim, the paper's as well. */
const STEPS: readonly Step[] = [
  {
    title: "Where toxicity is written",
    paper:
      "A linear probe tells toxic comments from others, and a few MLP value vectors point the way it points.",
    claim: "C1",
    measure: "accuracy",
    here: (value) => `The probe is right on ${percent(value, 0)} of the held-out comments`,
  },
  {
    title: "Take them away",
    paper:
      "Subtract such a vector while the model speaks, and it says fewer toxic things for a little perplexity.",
    claim: "C4",
    measure: "wToxic",
    here: (value) => `Subtracting the probe's direction takes ${percent(value, 0)} of the toxicity`,
  },
  {
    title: "Or train with DPO",
    paper: "Preference pairs teach the model the same politeness.",
    claim: "C6",
    measure: "toxicity",
    // The claim measures what is left.
    share: (value) => 1 - value,
    here: (value) => `DPO takes ${percent(value, 0)} of the toxicity`,
  },
  {
    title: "Nothing is unlearnt",
    paper:
      "The vectors stay where they are; the residual stream is moved so that they fire less. Scale a few keys up, and the toxicity is back.",
    claim: "C19",
    measure: "restored",
    here: (value) => `With seven keys scaled up it is ${percent(value, 0)} of what it was before DPO`,
  },
];

/** The study in one screen: each step with the paper's finding and this run's number beside the paper's. */
export function storyOf(site: Site): string {
  const claims = new Map((site.run.claims?.claims ?? []).map((claim) => [claim.id, claim]));
  const steps = STEPS.map(
    (step) =>
      `<li><h2>${escapeHtml(step.title)}</h2>\n<p>${escapeHtml(step.paper)}</p>\n${measured(step, claims.get(step.claim))}</li>`,
  );
  return `<ol class="story">\n${steps.join("\n")}\n</ol>`;
}

function measured({ measure, here, share = (value) => value }: Step, claim: RunClaim | undefined): string {
  const found = claim?.measures.find(({ key }) => key === measure);
  if (!claim || !found || found.value === null) return "";
  const paper = found.paper === null ? "" : ` (paper: ${percent(share(found.paper), 0)})`;
  return `<p class="here"><a href="claims.html#${claim.id}">${escapeHtml(here(share(found.value)) + paper)}</a>.</p>`;
}
