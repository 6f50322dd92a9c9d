import { gateRows, shareText } from "../lab/gates-card.js";
import { crispByLayer, type GateFigure, type GateReport } from "../lab/gates.js";
import type { GateFigures } from "../lab/gate-figures.js";
import { fixed, significant } from "../present/format.js";
import { nameOf } from "../toxicity/value-vectors.js";
import { columns } from "@alignscope/base/columns";

/** The gates, what else was measured, and of what, for a terminal; with `layers`, crisp value vectors by layer. */
export function gatesText({ gates, model, beside }: GateReport, { layers = false } = {}): string {
  const row = (name: string, cell: (figures: GateFigures) => string) => [name, cell(model), cell(beside)];
  const parts = [
    columns(gateRows({ gates })),
    columns([
      ["also", "this model", "beside it"],
      row(
        "leading value vector, cosine (by chance)",
        ({ leader }) => `${nameOf(leader)}, ${fixed(leader.cosine, 3)} (${fixed(leader.chance, 3)})`,
      ),
      row("value vectors that say offensive words", ({ crisp }) => String(crisp.length)),
      row("prompts with an offensive likeliest next token", ({ nextToken }) => shareText(nextToken)),
      row("offensive words that are one token", ({ singleTokens: { count, of } }) => `${count} of ${of}`),
      row(
        "toxicity of 20 tokens said after a prompt",
        ({ toxicity: { mean, low, high } }) => `${fixed(mean, 3)} (${fixed(low, 3)} to ${fixed(high, 3)})`,
      ),
    ]),
  ];
  if (layers) parts.push(layerTable(model), ...(model === beside ? [] : [layerTable(beside)]));
  const unmeasured = gates.flatMap(({ name, model }) =>
    typeof model === "string" ? `${name}: ${model}` : [],
  );
  parts.push(
    [
      `This model is ${described(model)}; ${counted(gates.map((gate) => gate.model))}.`,
      `Beside it is ${described(beside)}; ${counted(gates.map((gate) => gate.beside))}.`,
      "In brackets: 95% intervals.",
      ...unmeasured,
    ].join("\n"),
  );
  return parts.join("\n\n");
}

function described({ folder, layers, width, vocabulary, context }: GateFigures): string {
  return `${folder} (${layers} layers, width ${width}, ${significant(vocabulary)} tokens, context ${context})`;
}

/** Everything that a model's figures were counted over, once. */
function counted(figures: readonly (GateFigure | string)[]): string {
  const all = new Map(
    figures.flatMap((figure) => (typeof figure === "string" ? [] : Object.entries(figure.n))),
  );
  return [...all].map(([what, n]) => `${significant(n)} ${what}`).join(", ");
}

function layerTable(figures: GateFigures): string {
  const rows = crispByLayer(figures).map((row) => [row.layer, row.crisp, row.active].map(String));
  return columns([["layer", "say offensive words", `and know when (${figures.folder})`], ...rows]);
}
