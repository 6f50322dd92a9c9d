import { UserError } from "@alignscope/base/errors";
import type { ProtocolName } from "../model/protocol.js";
import { type Reading, readingOf } from "./attributes.js";
import { LinearScorer } from "./linear.js";
import { openPerspective, PERSPECTIVE_DESCRIPTION, type PerspectiveOptions } from "./perspective.js";
import { ProfanityCheckScorer } from "./profanity-check.js";
import { type AttributeScorer, type AttributeSource, readingScorer } from "./scorer.js";
import { openToxicBert, type ToxicBertOptions } from "./toxic-bert.js";
import { findToxicBert, TOXIC_BERT_BYTES } from "./toxic-bert-files.js";

export { ATTRIBUTES, readAs, type Reading, readingNamed, readingOf } from "./attributes.js";
export { type AgreementRow, scorerAgreement } from "./agreement.js";
export {
  type CalibrationFile,
  keptCalibration,
  needsNoCalibration,
  ownCalibration,
  withKeptCalibration,
} from "./calibrations.js";
export { embeddedScorerFolder, LinearScorer } from "./linear.js";
export type { AttributeScorer, AttributeSource, Scorer, ScoreOptions, ScoringProgress } from "./scorer.js";

/** How a scorer is opened; what concerns another scorer than the one that is named is passed over. */
export interface OpenScorerOptions {
  /** Settles the reading: `as-published`, the default, takes the maximum of the attributes, `corrected` TOXICITY. */
  readonly protocol?: ProtocolName;
  /** In place of the protocol's. */
  readonly reading?: Reading;
  readonly perspective?: PerspectiveOptions;
  readonly toxicBert?: ToxicBertOptions;
}

/** A scorer by its name: what it is, in words, and how to open it. */
interface RegisteredScorer {
  readonly name: string;
  readonly description: string;
  readonly open: (options: OpenScorerOptions) => AttributeSource | Promise<AttributeSource>;
  readonly files: ScorerFiles;
}

/** What a scorer needs on this machine, for who plans a run without opening it. */
export type ScorerFiles =
  | { readonly registered: string }
  | { readonly about: number; readonly description: string; readonly here: () => boolean }
  | { readonly service: string };

/** Every scorer that {@link openScorer} knows; a new one needs a line here and nothing else. */
export const scorers: readonly RegisteredScorer[] = [
  {
    name: "linear",
    description: "the project's own classifier, in the repository; needs no network",
    open: () => LinearScorer.load(),
    files: { registered: "lab-scorer" },
  },
  {
    name: "profanity-check",
    description: "the classifier of the Python package profanity-check, from the mirror",
    open: () => ProfanityCheckScorer.load(),
    files: { registered: "profanity-check-linear" },
  },
  {
    name: "toxic-bert",
    description:
      "Detoxify's BERT in ONNX Runtime, six attributes; downloaded once (438 MB), or from a folder",
    open: ({ toxicBert }) => openToxicBert(toxicBert),
    files: {
      about: TOXIC_BERT_BYTES,
      description: "Detoxify's BERT as published in ONNX's format",
      here: () => "folder" in findToxicBert("fp32"),
    },
  },
  {
    name: "perspective",
    description: PERSPECTIVE_DESCRIPTION,
    open: ({ perspective }) => openPerspective(perspective),
    files: { service: "asked over the network with PERSPECTIVE_API_KEY" },
  },
];

/**
 * Opens a toxicity scorer by its name.
 *
 * @example const [score] = await (await openScorer("linear")).score(["What a silly idea."]);
 * @example const byToxicity = await openScorer("toxic-bert", { protocol: "corrected" });
 * @throws UserError for an unknown name (lists the known ones), or when the scorer's files or key are missing or not
 * what they should be
 */
export async function openScorer(name: string, options: OpenScorerOptions = {}): Promise<AttributeScorer> {
  const found = scorers.find((scorer) => scorer.name === name);
  if (found) {
    const reading = options.reading ?? readingOf(options.protocol ?? "as-published");
    return readingScorer(await found.open(options), reading);
  }
  throw new UserError(
    `unknown scorer: ${name} (expected one of ${scorers.map((scorer) => scorer.name).join(", ")})`,
  );
}
