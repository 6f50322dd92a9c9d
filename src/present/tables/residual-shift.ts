import { paperTable } from "../paper-values.js";
import type { Cell } from "../rows.js";
import type { Column } from "../table-formats.js";
import { type Table, table, type TableLabels } from "../table.js";

/** A leading toxic vector's mean activation in both models. */
export interface LeaderActivation {
  label: string;
  before: number;
  after: number;
}

/** Figure 2 in numbers: the leaders' mean activations, and those that the paper's code gives for its own, by rank. */
export function leaderActivationsTable(leaders: readonly LeaderActivation[]): Table {
  const published = paperTable("figure-2").rows;
  return table({
    name: "figure-2-activations",
    title: "Mean activations of the leading toxic vectors, rank by rank",
    caption:
      "The paper shows bars without numbers; beside ours stand those of a re-implementation for GPT2-medium, after DPO, by rank.",
    columns: [
      { key: "label", label: "Vector", math: true },
      { key: "before", label: "GPT-2", digits: 4 },
      { key: "after", label: "DPO", digits: 4 },
      { key: "change", label: "Change", kind: "signed", digits: 4 },
      { key: "theirLabel", label: "Vector, paper", math: true },
      { key: "theirs", label: "DPO, paper", digits: 4 },
    ],
    rows: leaders.map(({ label, before, after }, i) => ({
      ...{ label, before, after, change: after - before },
      theirLabel: published[i]?.["label"] ?? null,
      theirs: published[i]?.["activation"] ?? null,
    })),
  });
}

/** How constant a residual stream's shift is over prompts: one measure a row. */
export function shiftConstancyTable(
  rows: readonly { measure: string; value: number }[],
  { layer, prompts }: { layer: number; prompts: number },
): Table {
  return table({
    name: "shift-constancy",
    title: "How constant the shift is",
    caption: `Residual streams before the MLP of layer ${layer} at the last position of ${prompts} prompts: each prompt's shift beside their mean.`,
    columns: [
      { key: "measure", label: "Measure" },
      { key: "value", label: "Value", digits: 3 },
    ],
    rows: rows.map((row) => ({ ...row })),
  });
}

/** A prompt's activation of a toxic vector in one of the models. */
export interface LevelledPoint {
  model: "GPT-2" | "DPO";
  activation: number;
  level: "High" | "Low" | "None";
}

/** A toxic vector's points, and for a table of several its name and how constant the shift before it is. */
export interface LevelledVector {
  points: readonly LevelledPoint[];
  label?: string;
  /** mean cosine with the mean shift, and the share of prompts that move its way */
  cosine?: number;
  sameSign?: number;
}

/**
 * Figures 4 and 6 in numbers: how strongly vectors are activated in both models, and by how many prompts; beside them the
 * paper's vectors, rank by rank.
 *
 * @param options which of the paper's figures it is
 */
export function activationLevelsTable(
  vectors: readonly LevelledVector[],
  { figure, ...labels }: TableLabels & { figure: 4 | 6 },
): Table {
  const several: Column[] = [
    { key: "cosine", label: "Cosine with mean shift", digits: 3 },
    { key: "sameSign", label: "Same way", kind: "percent", digits: 0 },
  ];
  const named = vectors.some(({ label }) => label !== undefined);
  const rows = vectors.flatMap(({ points, label, cosine = null, sameSign = null }) =>
    (["GPT-2", "DPO"] as const).map((model): Record<string, Cell> => {
      const own = points.filter((point) => point.model === model);
      const count = (level: LevelledPoint["level"]): number =>
        own.filter((point) => point.level === level).length;
      return {
        ...(named ? { label: label ?? null } : {}),
        model,
        mean: own.reduce((sum, { activation }) => sum + activation, 0) / own.length,
        ...{ high: count("High"), low: count("Low"), none: count("None") },
        // Of the shift, which is one for both models.
        ...(named ? (model === "GPT-2" ? { cosine, sameSign } : { cosine: null, sameSign: null }) : {}),
      };
    }),
  );
  return table({
    ...labels,
    columns: [
      ...(named ? [{ key: "label", label: "Vector", math: true }] : []),
      { key: "model", label: "Model" },
      { key: "mean", label: "Mean activation", digits: 2, paper: true },
      { key: "high", label: "High", digits: 0, paper: true },
      { key: "low", label: "Low", digits: 0, paper: true },
      { key: "none", label: "None", digits: 0, paper: true },
      ...(named ? several : []),
    ],
    rows,
    paper: paperTable("figure-4").rows.filter((row) => row["figure"] === figure),
  });
}

/** What became of the value vectors of one MLP, seen along the shift of the residual stream further up. */
export interface MlpShift {
  /** the layer before whose MLP the shift is; left out where a table has one alone */
  below?: number;
  layer: number;
  median?: number;
  negative: number;
  cosinePeak: number;
  activationNegative: number;
  activationPeak: number;
  along: number;
}

/**
 * The MLPs below one layer (figure 5) or several (figures 7 to 10).
 *
 * @param options which model it is
 * @param options.nLayer the paper's peaks, those of layer 18 of GPT2-medium, stand beside the MLPs of a model as deep
 */
export function mlpShiftsTable(
  mlps: readonly MlpShift[],
  { nLayer, ...labels }: TableLabels & { nLayer: number },
): Table {
  const published = paperTable("figure-10").rows;
  const has = (key: keyof MlpShift): boolean => mlps.some((row) => row[key] !== undefined);
  return table({
    ...labels,
    columns: [
      ...(has("below") ? [{ key: "below", label: "Shift before layer", digits: 0 }] : []),
      { key: "layer", label: "MLP of layer", digits: 0 },
      ...(has("median") ? [{ key: "median", label: "Median cosine", digits: 2 }] : []),
      { key: "negative", label: "Cosine < 0", kind: "percent", digits: 0 },
      { key: "cosinePeak", label: "Peak", digits: 2, paper: true },
      { key: "activationNegative", label: "m < 0", kind: "percent", digits: 0 },
      { key: "activationPeak", label: "Peak of m", digits: 3, paper: true },
      { key: "along", label: "Along", kind: "signed", digits: 4 },
    ],
    rows: mlps.map((row) => ({ ...row })),
    paper: mlps.map(({ below = 18, layer }) =>
      nLayer === 24 && below === 18 ? published.find((row) => row["layer"] === layer) : null,
    ),
  });
}
