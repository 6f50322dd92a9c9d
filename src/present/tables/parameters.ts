import { significant } from "../format.js";
import { paperValue } from "../paper-values.js";
import type { Column } from "../table-formats.js";
import { type Table, table } from "../table.js";

// The four things that "norm difference" could mean, as notebook 5.1 explains them.
const NORM_DIFFERENCE: Column = { key: "normDifference", label: "(a) |‖w‖ − ‖w′‖|" };
const DISTANCE: Column = { key: "distance", label: "(b) ‖w′ − w‖" };
const RELATIVE: Column = { key: "relative", label: "(d) ‖w′ − w‖ / ‖w‖" };
const COSINE: Column[] = [
  { key: "cosine", label: "Cosine", digits: 6 },
  { key: "cosineDistance", label: "1 − cosine" },
];

/** How the parameters of one kind changed. */
export interface KindChange {
  group: string;
  tensors: number;
  vectors: number;
  tensorMin: number | null;
  vectorMin: number | null;
  vectorMean: number | null;
  normDifference: number;
  distance: number;
  distanceMax: number;
  perElement: number;
  relative: number | null;
}

/** Parameters before and after DPO, kind by kind; the last row is the paper's bounds. */
export function parametersByKindTable(kinds: readonly KindChange[]): Table {
  const unembedding = paperValue("unembedding-norm-difference").value;
  return table({
    name: "parameters-by-kind",
    title: "Parameters before and after DPO, by kind",
    caption: `Lowest cosine of a flattened tensor and of a single row or column, 1 − the mean cosine of vectors, and the four readings of "norm difference" that the next part explains. The paper bounds cosines from below and the norm difference, whichever it is, from above (${unembedding} for the unembedding).`,
    columns: [
      { key: "group", label: "Parameters" },
      { key: "tensors", label: "Tensors", digits: 0 },
      { key: "vectors", label: "Vectors", digits: 0 },
      { key: "tensorMin", label: "Lowest cosine, tensor", digits: 6 },
      { key: "vectorMin", label: "Lowest cosine, vector", digits: 6 },
      { key: "turn", label: "1 − mean cosine" },
      NORM_DIFFERENCE,
      DISTANCE,
      { key: "distanceMax", label: "(b), largest" },
      { key: "perElement", label: "(c) |w′ − w| per element" },
      RELATIVE,
    ],
    rows: [
      ...kinds.map((row) => ({ ...row, turn: row.vectorMean === null ? null : 1 - row.vectorMean })),
      {
        group: "paper, GPT2-medium: bounds",
        tensorMin: paperValue("parameter-cosine").value,
        normDifference: paperValue("parameter-norm-difference").value,
      },
    ],
  });
}

/** How one vector changed. */
export interface TurnedVector {
  cosine: number | null;
  cosineDistance: number | null;
  normDifference: number;
  distance: number;
  relative: number | null;
}

/** The vectors of the model that turned most, as NumPy would index them. */
export function parametersMostTurnedTable(
  vectors: readonly (TurnedVector & { vector: string; kind: string; layer: number | null })[],
  { tensors }: { tensors: number },
): Table {
  return table({
    name: "parameters-most-turned",
    title: "The vectors of the model that turned most",
    caption: `Rows and columns of all ${tensors} tensors; layer norms and biases count as one vector each.`,
    columns: [
      { key: "vector", label: "Vector" },
      { key: "kind", label: "Kind" },
      { key: "layer", label: "Layer", digits: 0 },
      ...COSINE,
      NORM_DIFFERENCE,
      DISTANCE,
      RELATIVE,
    ],
    rows: vectors.map((row) => ({ ...row })),
  });
}

/**
 * The tokens whose row of the unembedding turned most.
 *
 * @param options what the caption says
 * @param options.of how many rows the unembedding has
 * @param options.meanCosine theirs
 */
export function parametersTokensTable(
  tokens: readonly (TurnedVector & { token: string })[],
  { of, meanCosine }: { of: number; meanCosine: number },
): Table {
  return table({
    name: "parameters-tokens",
    title: "The tokens whose unembedding turned most",
    caption: `Of ${of} rows; their mean cosine is ${meanCosine.toFixed(6)}.`,
    columns: [{ key: "token", label: "Token" }, ...COSINE, NORM_DIFFERENCE, DISTANCE],
    rows: tokens.map((row) => ({ ...row, token: [row.token] })),
  });
}

/** How a group of key or value vectors turned. */
export interface GroupChange {
  label: string;
  vectors: number;
  lowest: number;
  median: number;
  /** 1 − median */
  turn: number;
  normDifference: number;
  distance: number;
  /** share of all such vectors that turned less than this group's median */
  percentile: number;
}

/** The toxic key and value vectors, and all others, before and after DPO. */
export function parametersToxicTable(groups: readonly GroupChange[], { toxic }: { toxic: number }): Table {
  const bound = paperValue("parameter-cosine").value;
  return table({
    name: "parameters-toxic",
    title: "Toxic key and value vectors before and after DPO",
    caption: `The ${toxic} value vectors nearest to W_toxic and the key vectors of their neurons. The last column: which share of all such vectors turned less than this group's median. The paper gives no number but that of every parameter, a cosine above ${bound}.`,
    columns: [
      { key: "label", label: "Vectors" },
      { key: "vectors", label: "Number", digits: 0 },
      { key: "lowest", label: "Lowest cosine", digits: 6 },
      { key: "median", label: "Median cosine", digits: 6 },
      { key: "turn", label: "1 − median" },
      { key: "normDifference", label: "(a) mean |‖w‖ − ‖w′‖|" },
      { key: "distance", label: "(b) mean ‖w′ − w‖" },
      { key: "percentile", label: "Turned less", kind: "percent", digits: 0 },
    ],
    rows: groups.map((row) => ({ ...row })),
  });
}

/** One reading of "norm difference", measured and foretold for steps of random direction. */
export interface Reading {
  label: string;
  /** of all parameters but the unembedding, and of the unembedding */
  others: number;
  unembedding: number;
  /** what steps of random direction would give, in this run and in the paper's; null where that is not known */
  own: number;
  paper: number | null;
}

/** How a run trained, as far as the size of its steps goes. */
export interface TrainedFor {
  learningRate: number;
  steps: number;
}

/** Four readings of the paper's bound: whether they meet it, and the learning rate at which they would. */
export function parametersReadingsTable(
  readings: readonly Reading[],
  { run, paperRun }: { run: TrainedFor; paperRun: TrainedFor },
): Table {
  const bound = paperValue("parameter-norm-difference").value;
  const exception = paperValue("unembedding-norm-difference").value;
  const verdict = ({ others, unembedding }: Reading): string =>
    others < bound
      ? unembedding < exception
        ? "yes"
        : "but for the unembedding"
      : unembedding < exception
        ? "the unembedding only"
        : "no";
  const [rate, paperRate] = [run, paperRun].map(({ learningRate }) => significant(learningRate, 1));
  return table({
    name: "parameters-readings",
    title: "Four readings of one bound",
    caption: `This run: learning rate ${rate}, ${run.steps} steps until the policy that was kept. Beside it, what steps of random direction would give, here and for the paper's ${paperRun.steps} steps of 4 pairs at a rate of ${paperRate} and a width of 1,024; and the rates at which each would meet the paper's bound of ${significant(bound, 1)}, other things being equal.`,
    columns: [
      { key: "label", label: "Reading" },
      { key: "others", label: "All but the unembedding" },
      { key: "unembedding", label: "Unembedding" },
      { key: "own", label: "Random steps, this run" },
      { key: "within", label: "Within the paper's bounds" },
      { key: "rate", label: "Rate to meet it here" },
      { key: "paper", label: "Random steps, paper's run" },
      { key: "paperRate", label: "Rate to meet it there" },
    ],
    rows: readings.map((reading) => ({
      ...reading,
      within: verdict(reading),
      rate: (run.learningRate * bound) / reading.others,
      paperRate: reading.paper === null ? null : (paperRun.learningRate * bound) / reading.paper,
    })),
  });
}
