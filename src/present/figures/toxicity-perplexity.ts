import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, quantitative } from "./parts.js";

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
const TOXICITY = "mean toxicity";

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
  const onCurves = { transform: [{ filter: `datum.label != '${RANDOM}'` }] };
  const coding = (range: readonly string[]): object => ({ ...coded("label", names, range), sort: null });
  return figure({
    name: "toxicity-perplexity",
    title: "What each direction buys, and at what price",
    caption:
      `Mean toxicity of ${prompts} greedy continuations against perplexity as α grows from 0, ` +
      "with 95% bootstrap intervals over prompts; single points are random directions.",
    data: [
      ...curves.map((point) => ({ ...point })),
      // Whole results may be given: their continuations are no data of the picture.
      ...controls.map(({ id, perplexity, toxicity }) => ({
        id,
        label: RANDOM,
        multiple: 1,
        perplexity,
        toxicity,
      })),
    ],
    spec: {
      width: 420,
      height: 260,
      config: { legend: { symbolOpacity: 1 } },
      encoding: {
        x: quantitative("perplexity", "perplexity", { scale: { zero: false } }),
        y: quantitative("toxicity", TOXICITY, { scale: { zero: true } }),
        color: coding([palette.vermillion, palette.blue, palette.green, palette.grey]),
      },
      layer: [
        {
          ...onCurves,
          mark: { type: "rule", strokeWidth: 1.5, opacity: 0.55 },
          encoding: { y: quantitative("low", TOXICITY), y2: { field: "high" } },
        },
        { ...onCurves, mark: "line", encoding: { order: { field: "multiple" } } },
        {
          mark: { type: "point", filled: true },
          encoding: { shape: coding(["triangle-up", "circle", "square", "cross"]) },
        },
      ],
    },
  });
}
