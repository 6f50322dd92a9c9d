import { type Table, table } from "../table.js";

const MEASURES = [
  "loss",
  "rewards/accuracies",
  "rewards/margins",
  "rewards/chosen",
  "rewards/rejected",
  "logps/chosen",
  "logps/rejected",
  "kl/chosen",
  "kl/rejected",
] as const;

/** Means over pairs, by the names of the trainer's log. */
export type TrainingMeasures = Record<(typeof MEASURES)[number], number>;

/** What the caption says of a run. */
export interface TrainingRun {
  step: number;
  stopped: string;
  best: { step: number };
  seconds: number;
  batchSize: number;
  /** which set of settings it began from */
  settings: string;
}

/** The held-out pairs before and after DPO. */
export function dpoTrainingTable(
  { before, after }: { before: TrainingMeasures; after: TrainingMeasures },
  { step, stopped, best, seconds, batchSize, settings }: TrainingRun,
): Table {
  return table({
    name: "dpo-training",
    title: "Held-out pairs before and after DPO",
    caption: `${step} steps of ${batchSize} pairs in ${seconds.toFixed(0)} s, stopped by ${stopped}; kept: step ${best.step}. Settings "${settings}".`,
    columns: [
      { key: "measure", label: "Measure" },
      { key: "before", label: "Before", digits: 3 },
      { key: "after", label: "After", digits: 3 },
    ],
    rows: MEASURES.map((measure) => ({ measure, before: before[measure], after: after[measure] })),
  });
}

/** A step of the logit lens: what a block's attention or MLP adds to the probability. */
export interface LensRise {
  block: number;
  part: string;
  rise: number;
}

/** Which steps add to the word's probability before DPO, largest first, and what the same steps add after it. */
export function lensStepsTable(before: readonly LensRise[], after: readonly LensRise[]): Table {
  return table({
    name: "figure-1-steps",
    title: "Which steps add to the word's probability",
    caption:
      "Rise of the mean probability over each block's attention and MLP, before and after DPO, largest first.",
    columns: [
      { key: "block", label: "Block", digits: 0 },
      { key: "part", label: "Step" },
      { key: "gpt2", label: "GPT-2", kind: "signed", digits: 3 },
      { key: "dpo", label: "DPO", kind: "signed", digits: 3 },
    ],
    rows: before
      .map(({ block, part, rise }, i) => ({ block, part, gpt2: rise, dpo: after[i]?.rise ?? null }))
      .sort((a, b) => b.gpt2 - a.gpt2),
  });
}
