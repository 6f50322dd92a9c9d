import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, middleRule, nominal, quantitative } from "./parts.js";

/** A bar of {@link parametersToxicFigure}. */
export interface TurnBar {
  /** "key vectors" or "value vectors", a panel each */
  part: string;
  who: "all" | "toxic";
  /** ends of the bar, in 1 − cosine */
  low: number;
  high: number;
  share: number;
  /** of all of this colour */
  median: number;
}

/** How far the toxic neurons' key and value vectors turned, beside those of all neurons. */
export function parametersToxicFigure(
  bars: readonly TurnBar[],
  { all, toxic }: { all: number; toxic: number },
): Figure {
  const color = coded("who", ["all", "toxic"], [palette.skyBlue, palette.vermillion]);
  return figure({
    name: "parameters-toxic",
    title: "How far the toxic vectors turned, beside all",
    caption: `Distribution of 1 − cosine over the ${all} neurons of all MLPs and over the ${toxic} toxic ones; each colour sums to one, lines mark medians.`,
    data: bars.map((bar) => ({ ...bar })),
    spec: {
      facet: { column: nominal("part", null) },
      resolve: { scale: { x: "independent" } },
      spec: {
        width: 270,
        height: 180,
        layer: [
          {
            mark: { type: "bar", opacity: 0.55 },
            encoding: {
              x: quantitative("low", "1 − cosine", {
                scale: { type: "log", nice: false },
                axis: { format: "~e", tickCount: 4 },
              }),
              x2: { field: "high" },
              y: quantitative("share", "share of vectors", { stack: null }),
              y2: { datum: 0 },
              color,
            },
          },
          middleRule("median", color),
        ],
      },
    },
  });
}
