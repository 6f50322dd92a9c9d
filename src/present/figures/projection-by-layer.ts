import { figure, type Figure } from "../figure.js";
import { layerAxis, nominal, quantitative } from "./parts.js";

/** How well E v foretells the change of the logits when v is added in a layer. */
export interface LayerCorrelation {
  label: string;
  layer: number;
  /** Pearson's, over the vocabulary */
  correlation: number;
}

/** The same vectors added in each layer in turn: a line each, up to three. */
export function projectionByLayerFigure(correlations: readonly LayerCorrelation[]): Figure {
  const vector = nominal("label", null, { sort: null });
  return figure({
    name: "projection-by-layer",
    title: "How well E v foretells, by the layer where v is added",
    caption: "Correlation over the vocabulary of m E v with the mean change of the logits.",
    data: correlations.map((row) => ({ ...row })),
    spec: {
      width: 360,
      height: 200,
      mark: { type: "line", point: true },
      encoding: {
        x: layerAxis,
        y: quantitative("correlation", "Pearson's correlation"),
        color: vector,
        shape: { ...vector, scale: { range: ["circle", "triangle-up", "square"] } },
      },
    },
  });
}
