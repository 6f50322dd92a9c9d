import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { nominal, shiftBars } from "./parts.js";

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
  return figure({
    name: "shift-components",
    title: `Which components carry the shift before the MLP of layer ${below}`,
    caption: `Mean over positions and prompts of what a component writes after DPO less before, along δx, as a share of |δx|. All of them add up to ${(100 * whole).toFixed(1)}%.`,
    data: components.map((row) => ({ ...row, layer: row.layer === null ? "embed" : String(row.layer) })),
    spec: shiftBars(
      nominal("layer", "layer", { sort: null, axis: { labelAngle: 0 } }),
      "component",
      { embedding: palette.grey, attention: palette.purple, MLP: palette.blue },
      below,
    ),
  });
}
