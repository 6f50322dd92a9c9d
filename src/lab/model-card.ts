import type { GPT2Config } from "../model/index.js";
import type { CorpusSummary } from "./corpus.js";
import type { LossPoint, RunSettings } from "./pretrain.js";

/** The README.md beside the lab model: what it is, what it was trained on, how good it is, how to make it again. */
export function modelCard(
  corpus: CorpusSummary,
  curve: readonly LossPoint[],
  settings: RunSettings & { step: number },
): string {
  const { config } = settings;
  const measured = [...curve].reverse().find((point) => point.validationLoss !== undefined);
  const loss = measured?.validationLoss ?? Number.NaN;
  const { grownFrom } = settings;
  const before = grownFrom
    ? `, ${millions(grownFrom.tokensSeen)}M of them with ${grownFrom.layers} layers, which were then stacked`
    : "";
  const sources = corpus.sources.map(
    (source) =>
      `| ${source.name} | ${source.input} | ${thousands(source.trainTokens)} | ${source.weight} | ${source.licence} |`,
  );
  const shares = Object.entries(corpus.heldOut.shares).map(
    ([name, share]) => `${Math.round(100 * share)}% of ${name}`,
  );
  return `# The lab model

A GPT-2 of ${config.nLayer} layers, width ${config.dModel}, ${config.nHead} heads, ${thousands(config.vocabSize)} byte-level BPE tokens and a context of ${config.nPositions} tokens: ${millions(parameterCount(config))}M
parameters, stored in float16 in Hugging Face's layout. It exists so that the study can be run on a laptop. It writes
English of a sort and answers an insult with an insult; it knows nothing.

**Content warning**: ${(100 * corpus.tokens.toxicShareOfTrain).toFixed(0)}% of what it learnt from is toxic, and it will write such text. It is for the study of
toxicity and its removal, for nothing else.

| figure | value |
| --- | --- |
| held-out loss per token | ${loss.toFixed(3)} nats (perplexity ${Math.exp(loss).toFixed(1)} on a held-out ${thousands(corpus.tokens.valid)} tokens of the same mixture) |
| tokens seen | ${millions(curve.at(-1)?.tokensSeen ?? 0)}M${before}; a corpus of ${millions(corpus.tokens.train)}M |
| share of toxic text | ${(100 * corpus.tokens.toxicShareOfTrain).toFixed(0)}% of the corpus |
| training | ${training(settings)}, ${thousands(settings.step)} steps of ${settings.workers} × ${settings.sequences} × ${config.nPositions} tokens, matrix products in ${settings.precision}, seed ${settings.seed} (corpus: seed ${corpus.seed}) |

![Loss while training](loss.svg)

The loss curve is in \`loss.jsonl\`, too: one line every few steps, with the held-out loss where it was measured. What
went into the corpus, and what was left out of it, is in \`corpus.json\`.

## What it was trained on

Tokens are counted after each source was repeated by its weight.

| source | data set | tokens | weight | licence |
| --- | --- | --- | --- | --- |
${sources.join("\n")}

Held out for evaluation: ${thousands(corpus.heldOut.prompts)} prompts (RealToxicityPrompts' challenge prompts and those of figure 1),
${shares.join(", ")}. A document that shares a run of words with a held-out text was left out.

## How to build it again

With the public data sets in a mirror folder (\`npx alignscope data list\` names them):

    ALIGNSCOPE_MIRROR=<folder> npx alignscope lab build

The run shows its progress and estimate, keeps checkpoints, and goes on from the last one when it is started again. The
same seed, number of workers and BLAS give the same model.
`;
}

function training({
  optimiser,
  learningRate,
  matrixRate,
  activityPenalty,
  warmupSteps,
  decayFrom,
  decaySteps,
}: RunSettings): string {
  const rates =
    optimiser === "muon"
      ? `Muon at ${matrixRate} for the blocks' matrices, AdamW at ${learningRate} for the rest`
      : `AdamW at ${learningRate}`;
  const decay = decayFrom === undefined ? "" : `, decayed over the last ${decaySteps} steps`;
  const penalty = activityPenalty > 0 ? `, ${activityPenalty} nats for a unit of a neuron's activity` : "";
  return `${rates}${penalty}; warmed up over ${warmupSteps} steps${decay}`;
}

function parameterCount({ nLayer, dModel, dMlp, vocabSize, nPositions }: GPT2Config): number {
  const attention = 4 * dModel * dModel + 4 * dModel;
  const mlp = 2 * dModel * dMlp + dMlp + dModel;
  return (vocabSize + nPositions) * dModel + nLayer * (attention + mlp + 4 * dModel) + 2 * dModel;
}

function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

function millions(value: number): string {
  return (value / 1e6).toFixed(1);
}
