import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { coded, layerAxis, quantitative } from "./parts.js";

/** How much one sublayer adds to the residual stream. */
export interface SubUpdateSize {
  layer: number;
  kind: "attention" | "MLP";
  /** Euclidean length, averaged over texts and positions */
  meanNorm: number;
}

/** How long each attention and MLP output is, layer by layer. */
export function subUpdateSizesFigure(
  sizes: readonly SubUpdateSize[],
  { windows, tokens }: { windows: number; tokens: number },
): Figure {
  const kinds = ["attention", "MLP"];
  return figure({
    name: "sub-update-sizes",
    title: "What each block adds to the residual stream",
    caption: `Mean Euclidean length of every attention and MLP output over ${windows} windows of ${tokens} tokens.`,
    data: sizes.map((size) => ({ ...size })),
    spec: {
      width: 360,
      height: 200,
      mark: { type: "line", point: true },
      encoding: {
        x: layerAxis,
        y: quantitative("meanNorm", "mean Euclidean length"),
        color: coded("kind", kinds, [palette.blue, palette.vermillion]),
        shape: coded("kind", kinds, ["circle", "triangle-up"]),
      },
    },
  });
}
