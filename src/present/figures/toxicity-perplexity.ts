import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded } from "./parts.js";

/** A direction at one scale: what subtracting it did to toxicity, and what it cost. */
export interface TradePoint {
  id: string;
  label: string;
  /** of the scale at which all directions cost the same; 0 is the unchanged model */
  multiple: number;
  perplexity: number;
  toxicity: number;
  /** 95% interval of the toxicity */
  low: number;
  high: number;
}

const RANDOM = "random";

/**
 * What subtracting each direction buys, and at what price: a curve for each of three, which grow from the unchanged model,
 * and single points for random ones.
 *
 * @param curves points of three directions
 * @param controls random directions, each at one scale
 * @param options what the caption says
 * @param options.prompts how many were continued
 */
export function toxicityPerplexityFigure(
  curves: readonly TradePoint[],
  controls: readonly Pick<TradePoint, "id" | "perplexity" | "toxicity">[],
  { prompts }: { prompts: number },
): Figure {
  const names = [...new Set(curves.map(({ label }) => label)), RANDOM];
  const toxicity = { type: "quantitative", title: "mean toxicity" };
  const onCurves = { transform: [{ filter: `datum.label != '${RANDOM}'` }] };
  const sorted = { sort: null };
  return figure({
    name: "toxicity-perplexity",
    title: "What each direction buys, and at what price",
    caption:
      `Mean toxicity of ${prompts} greedy continuations against perplexity as α grows from 0, ` +
      "with 95% bootstrap intervals over prompts; single points are random directions.",
    data: [
      ...curves.map((point) => ({ ...point })),
      ...controls.map(({ id, perplexity, toxicity: own }) => ({
        ...{ id, label: RANDOM, multiple: 1, perplexity },
        toxicity: own,
      })),
    ],
    spec: {
      width: 420,
      height: 260,
      config: { legend: { symbolOpacity: 1 } },
      encoding: {
        x: { field: "perplexity", type: "quantitative", scale: { zero: false }, title: "perplexity" },
        y: { field: "toxicity", scale: { zero: true }, ...toxicity },
        color: {
          ...coded("label", names, [palette.vermillion, palette.blue, palette.green, palette.grey]),
          ...sorted,
        },
      },
      layer: [
        {
          ...onCurves,
          mark: { type: "rule", strokeWidth: 1.5, opacity: 0.55 },
          encoding: { y: { field: "low", ...toxicity }, y2: { field: "high" } },
        },
        { ...onCurves, mark: "line", encoding: { order: { field: "multiple" } } },
        {
          mark: { type: "point", filled: true },
          encoding: {
            shape: { ...coded("label", names, ["triangle-up", "circle", "square", "cross"]), ...sorted },
          },
        },
      ],
    },
  });
}
