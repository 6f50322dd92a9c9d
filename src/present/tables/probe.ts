import { paperValue } from "../paper-values.js";
import { type Table, table } from "../table.js";

/** What a ridge penalty of the probe gives, by cross-validation. */
export interface PenaltyRow {
  penalty: number;
  auroc: number;
  standardError: number;
  cosineToMeanDifference: number;
}

/** The ridge penalties that were tried, and which was chosen. */
export function probePenaltyTable(
  { sweep, penalty: chosen }: { sweep: readonly PenaltyRow[]; penalty: number },
  { tolerance }: { tolerance: number },
): Table {
  return table({
    name: "probe-penalty",
    title: "Ridge penalties for the probe",
    caption: `Five folds of the training part. Chosen: the strongest within ${tolerance} of the best AUROC.`,
    columns: [
      { key: "penalty", label: "Penalty" },
      { key: "auroc", label: "AUROC", digits: 3 },
      { key: "standardError", label: "± standard error", digits: 3 },
      { key: "cosineToMeanDifference", label: "Cosine with the difference of class means", digits: 2 },
      { key: "chosen", label: "Chosen" },
    ],
    rows: sweep.map((row) => ({ ...row, chosen: row.penalty === chosen ? "yes" : "" })),
  });
}

/** How well a probe tells toxic comments from others, on one part of the data. */
export interface ProbeReport {
  examples: number;
  accuracy: number;
  majorityBaseline: number;
  auroc: number;
  f1: number;
}

/** The probe on the comments it was fitted on and on those held out, beside what the paper says of its own. */
export function probeTable({ train, validation }: { train: ProbeReport; validation: ProbeReport }): Table {
  const accuracy = paperValue("probe-validation-accuracy").value;
  const measures = [
    { id: "examples", label: "Comments", paper: paperValue("probe-comments").value },
    { id: "accuracy", label: "Accuracy", paper: accuracy },
    { id: "majorityBaseline", label: "Majority baseline", paper: null },
    { id: "auroc", label: "AUROC", paper: null },
    { id: "f1", label: "F1", paper: null },
  ] as const;
  return table({
    name: "probe",
    title: "The probe W_toxic",
    caption:
      "Linear probe on the mean last-layer residual stream. The paper gives the number of all comments and the validation accuracy.",
    columns: [
      { key: "label", label: "Measure" },
      { key: "train", label: "Training" },
      { key: "validation", label: "Held out" },
      { key: "paper", label: "Paper, held out" },
      { key: "difference", label: "Difference", kind: "signed" },
    ],
    rows: measures.map(({ id, label, paper }) => ({
      ...{ id, label, train: train[id], validation: validation[id], paper },
      // Accuracy alone is a measure of the same thing: the number of comments is that of all.
      difference: id === "accuracy" ? validation.accuracy - accuracy : null,
    })),
  });
}
