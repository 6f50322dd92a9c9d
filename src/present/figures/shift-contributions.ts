import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";
import { ordinal, shiftBars } from "./parts.js";

/** What an MLP adds to a shift along it, as shares of its length, in three parts. */
export interface MlpContribution {
  layer: number;
  fromVectors: number;
  fromActivations: number;
  fromBias: number;
}

const PARTS = [
  { key: "fromVectors", part: "Σ m δv: value vectors moved", colour: palette.blue },
  { key: "fromActivations", part: "Σ δm v: activations moved", colour: palette.orange },
  { key: "fromBias", part: "δb: bias moved", colour: palette.grey },
] as const;

/** Section 5.2's argument in bars: what the value vectors' changes make of the shift before the MLP of `layer`. */
export function shiftContributionsFigure(
  mlps: readonly MlpContribution[],
  { layer: below }: { layer: number },
): Figure {
  return figure({
    name: "shift-contributions",
    title: `What each MLP adds to the shift before the MLP of layer ${below}`,
    caption:
      "Along the shift, as a share of its length; the three bars of an MLP add up to its share in the next figure.",
    data: mlps.flatMap((mlp) => PARTS.map(({ key, part }) => ({ layer: mlp.layer, part, share: mlp[key] }))),
    spec: {
      ...shiftBars(
        ordinal("layer", "MLP of layer", { axis: { labelAngle: 0 } }),
        "part",
        Object.fromEntries(PARTS.map(({ part, colour }) => [part, colour])),
        below,
      ),
      config: { legend: { orient: "bottom", direction: "vertical" } },
    },
  });
}
