import { figure, type Figure } from "../figure.js";
import { paperTable } from "../paper-values.js";
import { palette } from "../theme.js";
import { nominal, quantitative } from "./parts.js";

/** A row of the logit lens: how likely the word is if the residual stream is read at `place`. */
export interface LensRow {
  /** `0_pre`, `0_mid`, …, `final_post` */
  row: string;
  /** from 0; each block has two places, before its attention and before its MLP */
  place: number;
  mean: number;
  low: number;
  high: number;
}

const SYSTEMS = {
  domain: ["GPT-2", "DPO", "GPT-2, paper", "DPO, paper"],
  range: [palette.blue, palette.vermillion, palette.skyBlue, palette.orange],
};
const DASHES = {
  domain: SYSTEMS.domain,
  range: [
    [1, 0],
    [6, 3],
    [1, 3],
    [1, 3],
  ],
};

/**
 * Figure 1: the probability of a word as the residual stream passes through the layers, before and after DPO, with the
 * paper's curves for its own word.
 *
 * @param bands "GPT-2" and "DPO", each with its rows of the lens in order
 * @param options what else is drawn or said
 * @param options.shaded steps between two places that are shaded
 * @param options.texts how many texts the means are over
 */
export function logitLensFigure(
  bands: readonly { system: string; points: readonly LensRow[] }[],
  {
    word,
    texts,
    shaded,
  }: { word: string; texts: number; shaded: readonly { from: { place: number }; to: { place: number } }[] },
): Figure {
  const last = (bands[0]?.points.length ?? 1) - 1;
  const x = quantitative("place");
  const color = nominal("system", "model", { scale: SYSTEMS });
  const strokeDash = nominal("system", "model", { scale: DASHES });
  const curve = (test: string, mark: object): object => ({
    transform: [{ filter: `datum.low ${test} null` }],
    mark: { type: "line", ...mark },
    encoding: { x, y: quantitative("mean"), color, strokeDash },
  });
  return figure({
    name: "figure-1",
    number: 1,
    title: `Probability of "${word.trim()}" as the residual stream passes through the layers`,
    caption: `Logit lens at the last position of ${texts} prompts; mean with a 95% bootstrap interval over prompts. Between a layer's mark and the next lie its attention, then its MLP. Grey: the ${shaded.length} MLPs that add most in GPT-2. Dotted: the paper's curves for its own word and GPT2-medium, whose 24 layers are stretched over this model's.`,
    data: [
      ...bands.flatMap(({ system, points }) => points.map((point) => ({ system, ...point }))),
      ...paperCurves(last),
    ],
    spec: {
      width: 460,
      height: 220,
      config: { legend: { symbolType: "stroke", symbolStrokeWidth: 3, symbolOpacity: 1 } },
      layer: [
        {
          data: { values: shaded.map(({ from, to }) => ({ from: from.place, to: to.place })) },
          mark: { type: "rect", color: palette.grey, opacity: 0.18 },
          encoding: { x: quantitative("from"), x2: { field: "to" } },
        },
        {
          transform: [{ filter: "datum.low != null" }],
          mark: { type: "errorband" },
          encoding: {
            x: {
              ...x,
              title: "layer",
              scale: { domain: [0, last], nice: false },
              axis: {
                values: Array.from({ length: last / 2 + 1 }, (_, i) => 2 * i),
                labelExpr: `datum.value == ${last} ? 'F' : datum.value / 2`,
                grid: false,
              },
            },
            y: quantitative("low", "probability"),
            y2: { field: "high" },
            color,
          },
        },
        curve("==", { strokeWidth: 1.75 }),
        curve("!=", { point: { size: 22 } }),
      ],
    },
  });
}

/** The published curves from layer 17 on, their 24 layers stretched over `last` places. */
function paperCurves(last: number): { system: string; place: number; mean: number; low: null; high: null }[] {
  return paperTable("figure-1").rows.map((row) => ({
    system: row["model"] === "gpt2" ? "GPT-2, paper" : "DPO, paper",
    place: (Number(row["layer"]) * last) / 24,
    mean: Number(row["probability"]),
    low: null,
    high: null,
  }));
}
