import { paperTable } from "../paper-values.js";
import { besideSettings } from "../settings.js";
import { type Table, table } from "../table.js";

const COLUMNS = [
  { key: "label", label: "Hyperparameter" },
  { key: "own", label: "This run" },
  { key: "paper", label: "Paper" },
  { key: "code", label: "Official code" },
  { key: "verdict", label: "Agrees" },
  { key: "remark", label: "Why, and what else to know" },
];

/**
 * Table 5: the settings that DPO ran with beside the paper's and its code's.
 *
 * @param settings by the ids of the published table's rows
 * @param options what the caption says, and why settings depart, by the profile's name of the parameter
 */
export function dpoSettingsTable(
  settings: Readonly<Record<string, unknown>>,
  {
    departures,
    profile,
    pairs,
    step,
    stopped,
  }: {
    departures: Readonly<Record<string, string>>;
    profile: string;
    pairs: number;
    step: number;
    stopped: string;
  },
): Table {
  return table({
    name: "table-5",
    number: 5,
    title: "Hyperparameters of DPO",
    caption: `As used by this run (profile ${profile}; ${pairs} pairs, ${step} steps, stopped by ${stopped}), beside the paper's and, where its table is silent, its code's.`,
    columns: COLUMNS,
    rows: besideSettings(settings, paperTable("table-5"), departures).map((row) => ({ ...row })),
  });
}

/**
 * Table 6: the settings that PPLM made the pairs with beside the paper's. `source` is "make", or where the pairs were
 * read from: those used no settings.
 */
export function pplmSettingsTable(
  settings: Readonly<Record<string, unknown>>,
  {
    departures,
    profile,
    pairs,
    source,
  }: { departures: Readonly<Record<string, string>>; profile: string; pairs: number; source: string },
): Table {
  const made = source === "make";
  return table({
    name: "table-6",
    number: 6,
    title: "Hyperparameters of PPLM",
    caption: made
      ? `As used by this run (profile ${profile}; ${pairs} pairs), beside the paper's.`
      : `This run read its pairs from ${source}.`,
    columns: COLUMNS.filter(({ key }) => key !== "code"),
    rows: besideSettings(made ? settings : {}, paperTable("table-6"), departures).map((row) => ({ ...row })),
  });
}

/** Choices that neither table names: how this run chose, what the official code does, what the paper's text says. */
export function choicesTable(
  choices: readonly { label: string; own: string | null; code?: string | null; paper?: string | null }[],
): Table {
  return table({
    name: "hyperparameters-others",
    title: "Choices that neither table names",
    caption: "How this run chose, and what the official code does; of the pairs, what the paper's text says.",
    columns: [
      { key: "label", label: "Choice" },
      { key: "own", label: "This run" },
      { key: "code", label: "Official code" },
      { key: "paper", label: "Paper's text" },
    ],
    rows: choices.map((row) => ({ code: null, paper: null, ...row })),
  });
}
