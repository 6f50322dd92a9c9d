import { figure, type Figure } from "../figure.js";
import { palette } from "../theme.js";

/** What an MLP adds to a shift along it, as shares of its length, in three parts. */
export interface MlpContribution {
  layer: number;
  fromVectors: number;
  fromActivations: number;
  fromBias: number;
}

const PARTS = {
  fromVectors: "Σ m δv: value vectors moved",
  fromActivations: "Σ δm v: activations moved",
  fromBias: "δb: bias moved",
} as const;

/** Section 5.2's argument in bars: what the value vectors' changes make of the shift before the MLP of `layer`. */
export function shiftContributionsFigure(
  mlps: readonly MlpContribution[],
  { layer: below }: { layer: number },
): Figure {
  const labels = Object.values(PARTS);
  return figure({
    name: "shift-contributions",
    title: `What each MLP adds to the shift before the MLP of layer ${below}`,
    caption:
      "Along the shift, as a share of its length; the three bars of an MLP add up to its share in the next figure.",
    data: mlps.flatMap((mlp) =>
      (Object.keys(PARTS) as (keyof typeof PARTS)[]).map((key) => ({
        layer: mlp.layer,
        part: PARTS[key],
        share: mlp[key],
      })),
    ),
    spec: {
      width: Math.max(320, 40 * below),
      height: 220,
      mark: { type: "bar" },
      encoding: {
        x: { field: "layer", type: "ordinal", title: "MLP of layer", axis: { labelAngle: 0 } },
        xOffset: { field: "part", type: "nominal", sort: labels },
        y: { field: "share", type: "quantitative", title: "share of the shift", axis: { format: "%" } },
        color: {
          field: "part",
          type: "nominal",
          title: null,
          scale: { domain: labels, range: [palette.blue, palette.orange, palette.grey] },
        },
      },
      config: { legend: { orient: "bottom", direction: "vertical" } },
    },
  });
}
