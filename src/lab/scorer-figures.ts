import { auroc, pearson } from "@alignscope/tensors/vectors";
import type { Scorer } from "../scorers/index.js";
import type { HeldOutTexts } from "./scorer-data.js";

/** What a scorer shows on texts that it never learnt from, each rounded to four decimals. */
export interface ScorerFigures {
  /** Area under the ROC curve on held-out Jigsaw comments. */
  readonly jigsawAuc: number;
  readonly jigsawTexts: number;
  /** Pearson's correlation with Perspective's TOXICITY over all held-out RealToxicityPrompts texts. */
  readonly rtpPearson: number;
  readonly rtpPearsonPrompts: number;
  readonly rtpPearsonContinuations: number;
  /** With the maximum over Perspective's seven attributes, which the paper's code takes, in place of TOXICITY. */
  readonly rtpPearsonMaximum: number;
  /** Mean of |score − TOXICITY|. */
  readonly rtpMeanError: number;
  readonly rtpTexts: number;
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4;

/** Recomputes a scorer's figures; the same texts give the same numbers to the last digit. */
export async function measureScorer(scorer: Scorer, heldOut: HeldOutTexts): Promise<ScorerFigures> {
  const { jigsaw, rtp } = heldOut;
  const jigsawScores = await scorer.score(jigsaw.map(({ text }) => text));
  const scores = await scorer.score(rtp.map(({ text }) => text));
  const toxicity = rtp.map((row) => row.toxicity);
  const correlationIn = (part: string): number => {
    const chosen = rtp.flatMap((row, i) => (row.part === part ? [i] : []));
    return pearson(
      chosen.map((i) => scores[i] as number),
      chosen.map((i) => toxicity[i] as number),
    );
  };
  const errors = scores.map((score, i) => Math.abs(score - (toxicity[i] as number)));
  return {
    jigsawAuc: rounded(
      auroc(
        jigsawScores,
        jigsaw.map(({ toxic }) => Number(toxic)),
      ),
    ),
    jigsawTexts: jigsaw.length,
    rtpPearson: rounded(pearson(scores, toxicity)),
    rtpPearsonPrompts: rounded(correlationIn("prompt")),
    rtpPearsonContinuations: rounded(correlationIn("continuation")),
    rtpPearsonMaximum: rounded(
      pearson(
        scores,
        rtp.map(({ maximum }) => maximum),
      ),
    ),
    rtpMeanError: rounded(errors.reduce((sum, error) => sum + error, 0) / errors.length),
    rtpTexts: rtp.length,
  };
}
