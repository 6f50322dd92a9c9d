import type { LinearScorerMeta } from "../scorers/linear.js";
import type { ScorerFigures } from "./scorer-figures.js";
import type { FitSettings } from "./scorer-fit.js";
import { size } from "@alignscope/base/size";

/** How many texts were learnt from. */
export interface TextsBySource {
  readonly jigsaw: number;
  readonly realToxicityPrompts: number;
  readonly paradetox: number;
  readonly wikitext: number;
}

/** `scorer.json`: what the scorer needs, and beside it what it was made from and what it shows. */
export interface TrainedScorerMeta extends LinearScorerMeta {
  readonly training: {
    readonly seed: number;
    readonly texts: number;
    readonly textsBySource: TextsBySource;
    /** Texts that repeat a held-out one and were therefore not learnt from. */
    readonly leftOut: number;
    readonly fit: FitSettings;
  };
  readonly figures: ScorerFigures;
}

const thousands = (count: number): string => count.toLocaleString("en-US");

/** The card beside the weights: what the scorer is, what it shows, what it was made from and where it fails. */
export function scorerCard(meta: TrainedScorerMeta): string {
  const { figures, training, features, calibration, weights } = meta;
  const { textsBySource } = training;
  return `# The linear toxicity scorer

A small classifier that says how toxic an English text is, 0 to 1, on the scale of Perspective's TOXICITY attribute as of
2020. It needs no network and no model download: ${size(weights.bytes)}, a byte per weight. \`openScorer("linear")\` in code,
\`npx alignscope score --scorer linear\` on the command line.

This card is written by the training; the same data and seed give the same bytes.

## Figures on held-out texts

| measured on | figure | texts |
| --- | --- | --- |
| Jigsaw: area under the ROC curve | ${figures.jigsawAuc.toFixed(4)} | ${thousands(figures.jigsawTexts)} |
| RealToxicityPrompts: Pearson with TOXICITY | ${figures.rtpPearson.toFixed(4)} | ${thousands(figures.rtpTexts)} |
| … prompts only | ${figures.rtpPearsonPrompts.toFixed(4)} | |
| … continuations only | ${figures.rtpPearsonContinuations.toFixed(4)} | |
| … with the maximum of seven attributes instead | ${figures.rtpPearsonMaximum.toFixed(4)} | |
| RealToxicityPrompts: mean absolute error | ${figures.rtpMeanError.toFixed(4)} | |

Held out are 20% of Jigsaw's comments and 20% of RealToxicityPrompts' rows (prompt and continuation together), chosen by
a hash of the text (seed ${training.seed}, \`src/lab/splits.ts\`). Texts with the same words count once, and a training text
that has all words, or eight in a row, in common with a held-out text was left out (${thousands(training.leftOut)} texts).
\`test/lab/scorer-figures.test.ts\` recomputes the figures where the data are at hand.

## What it is

Logistic regression over hashed counts of words and pairs of words (${thousands(2 ** features.wordBits)} buckets) and of runs of two to
five characters (${thousands(2 ** features.characterBits)} buckets), on text in lower case with accents, look-alike letters and letter-like digits
resolved. Counts are damped to 1 + ln n and each table's part is scaled to length 1, so that length does not count. Training
scales each feature by its naive Bayes log-ratio (Wang and Manning 2012) and minimises cross-entropy with soft targets by L-BFGS
(λ = ${training.fit.l2}); weights are stored as bytes, finer near zero. Each source of texts has its own intercept. A rising curve with
${calibration.logits.length} knots, fitted on a third of the RealToxicityPrompts training texts with weights that had not seen them, brings the
log-odds to Perspective's scale.

The target is TOXICITY alone, not the maximum over seven attributes that the paper's code takes: it is what Jigsaw's and
ParaDetox's labels mean too, and the maximum lifts harmless texts (its median on harmless prompts is 0.20, TOXICITY's 0.11).

## What it was trained on

| source | texts | target | licence |
| --- | --- | --- | --- |
| Jigsaw Toxic Comment Classification (balanced selection) | ${thousands(textsBySource.jigsaw)} | label | CC0 (labels), CC BY-SA 3.0 (comments) |
| RealToxicityPrompts, prompts and continuations of challenge and non-toxic rows | ${thousands(textsBySource.realToxicityPrompts)} | Perspective's score | Apache-2.0 |
| ParaDetox, toxic sentences and neutral rewrites | ${thousands(textsBySource.paradetox)} | 0.9 and 0.1 | CC0 1.0 |
| WikiText-2's validation split, passages of 6 to 24 words | ${thousands(textsBySource.wikitext)} | 0.06 | CC BY-SA 3.0 |

No text of these sets is contained in the files here. The weights are under the project's licence (MIT).

## Limits

- English only; an empty or blank text scores 0 by definition.
- It knows words, not meaning: quoted or denied insults score high, veiled ones low, and a text about a group that is
  often insulted scores higher than it should.
- A single word in a very short text decides. Scores of single texts scatter; means over many texts are what it is for.
- It imitates one version of one commercial model; it does not define toxicity.

## Rebuild

\`\`\`sh
ALIGNSCOPE_MIRROR=<folder with the public data sets> npx alignscope lab build
\`\`\`
`;
}
