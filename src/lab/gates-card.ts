import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "@alignscope/base/errors";
import { writeFileAtomic, writeJsonAtomic } from "@alignscope/base/files";
import { readJsonl } from "../data/readers.js";
import { fixed, percent } from "../present/format.js";
import type { GateFigures } from "./gate-figures.js";
import type { Gate, GateFigure, GateReport } from "./gates.js";
import type { LossPoint } from "./pretrain.js";

/* The gates as text, and in the card of the model that they are about. */

/** The gates as rows of text, headings first: for a terminal as for a model's card. */
export function gateRows({ gates }: Pick<GateReport, "gates">): string[][] {
  return [
    ["gate", "asked", "this model", "beside it", "holds"],
    ...gates.map((gate) => [
      gate.name,
      asked(gate),
      gateCell(gate, gate.model),
      gateCell(gate, gate.beside),
      gate.holds === null ? "not measured" : gate.holds ? "yes" : "no",
    ]),
  ];
}

function asked({ relation, bound, kind }: Gate): string {
  if (bound === null) return "–";
  return `${relation === "at least" ? "≥" : "≤"} ${valueText(kind, bound)}`;
}

/** What a gate found, a share with its interval. */
function gateCell({ kind }: Pick<Gate, "kind">, figure: GateFigure | string): string {
  if (typeof figure === "string") return "–";
  const { value, low, high } = figure;
  return low === undefined || high === undefined ? valueText(kind, value) : shareText({ value, low, high });
}

function valueText(kind: Gate["kind"], value: number): string {
  if (kind === "share") return percent(value, 0);
  return kind === "count" ? String(value) : fixed(value, kind === "bits" ? 3 : 2);
}

/** A share with its interval, `20.2 % (16.2 to 24.8)`. */
export function shareText({ value, low, high }: { value: number; low: number; high: number }): string {
  return `${percent(value)} (${fixed(100 * low, 1)} to ${fixed(100 * high, 1)})`;
}

/** A short training that helped to choose another: what it left in its model's folder. */
export interface Trial {
  name: string;
  gates: Gate[];
  /** The last point of its loss curve that has a held-out loss. */
  last: LossPoint;
}

const GATES_FILE = "gates.json";

/**
 * The card of a model, README.md in its folder: to be asked for before minutes of measuring.
 *
 * @throws UserError where the folder has none
 */
export function cardOf(folder: string): string {
  const card = join(folder, "README.md");
  if (existsSync(card)) return card;
  throw new UserError(`${folder} has no README.md to write the gates into: \`lab build\` makes one`);
}

/**
 * Writes what was found into the card of the model's folder, and whole beside it, gates.json; with trials, also a table of
 * these.
 *
 * @throws UserError where the folder has no card
 */
export function writeGates(report: GateReport, trials: readonly Trial[] = []): void {
  const { folder } = report.model;
  const card = cardOf(folder);
  // Where the folders lay is of no use to those who get the model.
  const figures = ({ folder: _, ...own }: GateFigures) => own;
  const { gates, model, beside } = report;
  writeJsonAtomic(join(folder, GATES_FILE), { gates, model: figures(model), beside: figures(beside) });
  writeFileAtomic(card, cardWithGates(readFileSync(card, "utf8"), report, trials));
}

/**
 * A trial, from its model's folder.
 *
 * @throws UserError where gates or loss curve are missing
 */
export function readTrial(name: string, folder: string): Trial {
  const [found, losses] = [join(folder, GATES_FILE), join(folder, "loss.jsonl")];
  for (const path of [found, losses]) {
    if (!existsSync(path)) {
      throw new UserError(
        `trial ${name}: no ${path}; run \`lab gates ${folder} --card\` on what \`lab build\` made`,
      );
    }
  }
  const last = readJsonl<LossPoint>(losses).findLast(({ validationLoss }) => validationLoss !== undefined);
  if (!last) throw new UserError(`trial ${name}: ${losses} has no validationLoss`);
  const { gates } = JSON.parse(readFileSync(found, "utf8")) as { gates: Gate[] };
  return { name, gates, last };
}

/** A card with what the gates found, in the place of what it said of them before. */
export function cardWithGates(
  card: string,
  report: Pick<GateReport, "gates" | "beside">,
  trials: readonly Trial[] = [],
): string {
  const { layers, width } = report.beside;
  const withGates = withSection(
    card,
    "What it shows",
    `What \`npx alignscope lab gates\` asks of a model in which the paper's mechanism is to be seen, and what it finds in this one,
beside one of ${layers} layers and width ${width}. In brackets: 95% intervals.

${markdownTable(gateRows(report))}`,
  );
  if (trials.length === 0) return withGates;
  const rows = trials.map(({ name, gates, last: { tokensSeen, validationLoss = Number.NaN } }) => [
    name,
    `${(tokensSeen / 1e6).toFixed(1)}M`,
    `${validationLoss.toFixed(3)} nats`,
    ...gates.map((gate) => gateCell(gate, gate.model)),
  ]);
  const head = ["trial", "tokens seen", "held-out loss", ...report.gates.map(({ name }) => name)];
  return withSection(
    withGates,
    "Trials",
    `Short trainings, by the same gates. Held-out losses compare where tokenizer and corpus are the same.

${markdownTable([head, ...rows])}`,
  );
}

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The card with a section replaced, or put before what the model was trained on. */
function withSection(card: string, heading: string, text: string): string {
  const parts = card.split(/^(?=## )/m).filter((part) => !part.startsWith(`## ${heading}\n`));
  const before = parts.findIndex((part) => part.startsWith("## What it was trained on\n"));
  parts.splice(before < 0 ? parts.length : before, 0, `## ${heading}\n\n${text}\n\n`);
  return parts.join("");
}
