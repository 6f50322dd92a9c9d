import { UserError } from "../../data/errors";
import { LinearScorer } from "./linear";
import { ProfanityCheckScorer } from "./profanity-check";
import type { Scorer } from "./scorer";

export { embeddedScorerFolder, LinearScorer, type LinearScorerMeta } from "./linear";
export { ProfanityCheckScorer } from "./profanity-check";
export type { Scorer } from "./scorer";

/** A scorer by its name: what it is, in words, and how to open it. */
interface RegisteredScorer {
  readonly name: string;
  readonly description: string;
  readonly open: () => Promise<Scorer>;
}

/** Every scorer that {@link openScorer} knows; a new one needs a line here and nothing else. */
export const scorers: readonly RegisteredScorer[] = [
  {
    name: "linear",
    description: "the project's own classifier, in the repository; needs no network",
    open: () => Promise.resolve().then(() => LinearScorer.load()),
  },
  {
    name: "profanity-check",
    description: "the classifier of the Python package profanity-check, from the mirror",
    open: () => ProfanityCheckScorer.load(),
  },
];

/**
 * Opens a toxicity scorer by its name.
 *
 * @example const [score] = await (await openScorer("linear")).score(["What a silly idea."]);
 * @throws UserError for an unknown name (lists the known ones), or when the scorer's files are missing or corrupted
 */
export async function openScorer(name: string): Promise<Scorer> {
  const found = scorers.find((scorer) => scorer.name === name);
  if (found) return found.open();
  throw new UserError(
    `unknown scorer: ${name} (expected one of ${scorers.map((scorer) => scorer.name).join(", ")})`,
  );
}
