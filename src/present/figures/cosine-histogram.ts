import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { dashedRule, quantitative } from "./parts.js";

/** A bar of the histogram of all value vectors' cosines. */
export interface CosineBar {
  from: number;
  to: number;
  count: number;
}

/**
 * The cosines of all value vectors with the probe, the tail of which is the ranking.
 *
 * @param options what the picture marks
 * @param options.vectors how many there are in all
 * @param options.dModel width of the residual stream: random directions have cosines of standard deviation 1/√dModel
 * @param options.ranked how many the ranking keeps, and the cosine of the last of them
 */
export function cosineHistogramFigure(
  bars: readonly CosineBar[],
  { vectors, dModel, ranked }: { vectors: number; dModel: number; ranked: { count: number; lowest: number } },
): Figure {
  const band = 2 / Math.sqrt(dModel);
  return figure({
    name: "cosine-histogram",
    title: "Cosines of all value vectors with the probe",
    caption:
      `${vectors} value vectors; the dashed line marks the ${ranked.count}th of the ranking, ` +
      "the grey band two standard deviations of random directions.",
    data: bars.map((bar) => ({ ...bar })),
    spec: {
      width: 400,
      height: 200,
      layer: [
        {
          data: { values: [{}] },
          mark: { type: "rect", fill: palette.grey, fillOpacity: 0.15 },
          encoding: { x: { datum: -band }, x2: { datum: band } },
        },
        {
          mark: { type: "bar", color: palette.blue },
          encoding: {
            x: quantitative("from", "cosine with W_toxic", { bin: "binned" }),
            x2: { field: "to" },
            y: quantitative("count", "number of value vectors", {
              scale: { type: "symlog" },
              axis: { values: [0, 1, 10, 100, 1000, 10000] },
            }),
            y2: { datum: 0 },
          },
        },
        dashedRule({ x: { datum: ranked.lowest } }),
      ],
    },
  });
}
