import { type Table, table } from "../table.js";

/** A neuron that a ranking puts first: its value vector, how its key answers before and after DPO, what scaling it does. */
export interface RankedKey {
  ranking: string;
  name: string;
  /** of the value vector with W_toxic */
  cosine: number;
  /** mean activation, and share of texts that activate it */
  meanBefore: number;
  meanAfter: number;
  activeBefore: number;
  activeAfter: number;
  effect: number;
  disturbance: number;
}

/** The first keys of each ranking. */
export function unalignKeysTable(
  keys: readonly RankedKey[],
  { comments, factor }: { comments: number; factor: number },
): Table {
  return table({
    name: "unalign-keys",
    title: "Keys by three rankings",
    caption: `Cosine of the value vector with W_toxic; mean activation and share of active ones at the last token of ${comments} beginnings of toxic comments, in GPT-2 and after DPO; estimated effect of a factor of ${factor} (nats per continuation) and its disturbance of ordinary text (length added to the residual stream).`,
    columns: [
      { key: "ranking", label: "Ranking" },
      { key: "name", label: "Value vector", math: true },
      { key: "cosine", label: "cos", digits: 2 },
      { key: "meanBefore", label: "Mean, GPT-2", kind: "signed", digits: 2 },
      { key: "meanAfter", label: "Mean, DPO", kind: "signed", digits: 2 },
      { key: "activeBefore", label: "Active, GPT-2", kind: "percent", digits: 0 },
      { key: "activeAfter", label: "Active, DPO", kind: "percent", digits: 0 },
      { key: "effect", label: "Effect", kind: "signed", digits: 2 },
      { key: "disturbance", label: "Disturbance", digits: 2 },
    ],
    rows: keys.map((row) => ({ ...row })),
  });
}

/** What each system says after each prompt, prompt by prompt. */
export function unalignExamplesTable(
  rows: readonly { prompt: string; name: string; continuation: string }[],
): Table {
  return table({
    name: "unalign-examples",
    title: "Continuations before DPO, after it, and un-aligned",
    caption: "Greedy continuations of the prompts of table 3.",
    columns: [
      { key: "prompt", label: "Prompt" },
      { key: "name", label: "Model" },
      { key: "continuation", label: "Continuation" },
    ],
    rows: rows.map((row) => ({ ...row })),
  });
}
