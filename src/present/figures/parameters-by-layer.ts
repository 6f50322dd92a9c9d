import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, nominal, quantitative } from "./parts.js";

/** How far the vectors of one kind of parameter turned in one layer. */
export interface LayerTurn {
  layer: number;
  kind: string;
  vectors: "mean over vectors" | "the vector that turned most";
  /** 1 − cosine of before and after; 0 is not drawn */
  turn: number;
}

const COLOURS = [
  palette.blue,
  palette.skyBlue,
  palette.vermillion,
  palette.orange,
  palette.grey,
  palette.green,
];
const SHAPES = ["circle", "square", "triangle-up", "triangle-down", "cross", "diamond"];

/**
 * How far parameters turned, layer by layer, against the paper's bound.
 *
 * @param options what else is drawn
 * @param options.kinds the kinds in the order of the legend; six at most
 * @param options.paperCosine the bound that the paper gives
 */
export function parametersByLayerFigure(
  turns: readonly LayerTurn[],
  { kinds, paperCosine }: { kinds: readonly string[]; paperCosine: number },
): Figure {
  const inLegend = kinds.filter((kind) => turns.some((turn) => turn.kind === kind));
  const byKind = (range: readonly string[]): object => coded("kind", inLegend, range);
  const limit = { aggregate: "max", field: "limit", type: "quantitative" };
  return figure({
    name: "parameters-by-layer",
    title: "How far parameters turned, by layer and kind",
    caption: `1 − cosine before and after DPO, on a logarithmic axis. Dashed: the paper's bound, cosine ${paperCosine}. What did not turn at all is not drawn.`,
    data: turns
      .filter(({ turn }) => turn > 0)
      .map(({ layer, kind, vectors, turn }) => ({ layer, kind, of: vectors, turn, limit: 1 - paperCosine })),
    spec: {
      facet: { column: nominal("of", null) },
      spec: {
        width: 270,
        height: 260,
        layer: [
          {
            mark: { type: "rule", color: palette.black, strokeDash: [6, 4] },
            encoding: { y: limit },
          },
          {
            mark: {
              type: "text",
              text: `paper: cosine > ${paperCosine}`,
              align: "right",
              baseline: "bottom",
              dy: -4,
            },
            encoding: { x: { value: 266 }, y: limit },
          },
          {
            mark: { type: "line", strokeWidth: 1.5, point: { size: 55 } },
            encoding: {
              x: quantitative("layer", "layer", {
                axis: { tickMinStep: 1, format: "d" },
                scale: { padding: 8, nice: false },
              }),
              y: quantitative("turn", "1 − cosine", {
                scale: { type: "log" },
                axis: { format: "~e", values: Array.from({ length: 12 }, (_, i) => 10 ** (i - 12)) },
              }),
              color: byKind(COLOURS),
              shape: byKind(SHAPES),
            },
          },
        ],
      },
    },
  });
}
