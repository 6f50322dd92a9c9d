import { figure, type Figure } from "../figure.js";
import { ordinal, quantitative } from "./parts.js";

/** What the largest addends of an MLP hold of all. */
export interface ValueVectorShare {
  layer: string;
  /** how many of the largest are counted */
  vectors: number;
  /** their part of the summed lengths, 0 to 1 */
  share: number;
}

/** How few value vectors carry an MLP's output: a line per layer, on a logarithmic axis. */
export function valueVectorSharesFigure(shares: readonly ValueVectorShare[]): Figure {
  const layers = new Set(shares.map(({ layer }) => layer)).size;
  return figure({
    name: "value-vector-shares",
    title: "How many value vectors carry an MLP's output",
    caption:
      "Share of the summed lengths of all addends that the largest ones hold, at the last position of one window.",
    data: shares.map((share) => ({ ...share })),
    spec: {
      width: 360,
      height: 220,
      mark: { type: "line", point: { size: 18 } },
      encoding: {
        x: quantitative("vectors", "largest value vectors counted", {
          scale: { type: "log", base: 2, nice: false },
        }),
        y: quantitative("share", "share of the summed length", { axis: { format: "%" } }),
        color: ordinal("layer", null, { sort: null, legend: { columns: layers > 12 ? 2 : 1 } }),
      },
    },
  });
}
