import { figure, type Figure } from "../figure.js";
import { coded, middleRule, overlaidBars } from "./parts.js";
import { palette } from "../theme.js";

/** A bar of a histogram of one side of the pairs. */
export interface SideBar {
  side: string;
  from: number;
  to: number;
  count: number;
  share: number;
}

/**
 * How toxic both sides of the preference pairs are.
 *
 * @param bars of the preferred side, then of the rejected one, each with its side's mean
 */
export function pairsToxicityFigure(
  bars: readonly (SideBar & { mean: number })[],
  { pairs, scorer }: { pairs: number; scorer: string },
): Figure {
  const names = sidesOf(bars);
  return figure({
    name: "pairs-toxicity",
    title: "Toxicity of both sides",
    caption: `${pairs} pairs, scorer: ${scorer}. Each colour sums to one; lines mark the means.`,
    data: bars.map((bar) => ({ ...bar })),
    spec: {
      width: 420,
      height: 220,
      layer: [
        overlaidBars({ by: "side", names, x: "toxicity, 0 to 1", y: "share of continuations" }),
        middleRule("mean", coded("side", names, [palette.blue, palette.vermillion])),
      ],
    },
  });
}

/** The two sides in the order of the data. */
export function sidesOf(bars: readonly SideBar[]): [string, string] {
  const [preferred = "", rejected = ""] = new Set(bars.map(({ side }) => side));
  return [preferred, rejected];
}
