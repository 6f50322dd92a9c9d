import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";

/** A part of the model that writes to the residual stream, and what it carries of a shift. */
export interface DrawnComponent {
  component: "embedding" | "attention" | "MLP";
  /** null for the embeddings */
  layer: number | null;
  share: number;
}

/** Which components carry the shift before the MLP of `layer`. */
export function shiftComponentsFigure(
  components: readonly DrawnComponent[],
  { layer: below }: { layer: number },
): Figure {
  const whole = components.reduce((sum, { share }) => sum + share, 0);
  const kinds = ["embedding", "attention", "MLP"];
  return figure({
    name: "shift-components",
    title: `Which components carry the shift before the MLP of layer ${below}`,
    caption: `Mean over positions and prompts of what a component writes after DPO less before, along δx, as a share of |δx|. All of them add up to ${(100 * whole).toFixed(1)}%.`,
    data: components.map(({ component, layer, share }) => ({
      component,
      layer: layer === null ? "embed" : String(layer),
      share,
    })),
    spec: {
      width: Math.max(320, 40 * below),
      height: 220,
      mark: { type: "bar" },
      encoding: {
        x: { field: "layer", type: "nominal", title: "layer", sort: null, axis: { labelAngle: 0 } },
        xOffset: { field: "component", type: "nominal", sort: kinds },
        y: { field: "share", type: "quantitative", title: "share of the shift", axis: { format: "%" } },
        color: {
          field: "component",
          type: "nominal",
          title: null,
          scale: { domain: kinds, range: [palette.grey, palette.purple, palette.blue] },
        },
      },
    },
  });
}
