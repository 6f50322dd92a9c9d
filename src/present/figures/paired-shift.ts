import { activationLooks, lookEncoding, palette } from "../theme.js";

export interface PairedShiftOptions {
  /** Values of `vector`, one panel each in this order; without them all rows are one panel. */
  panels?: readonly string[];
  /** Whether axes show numbers; the published ones do not, whose units mean nothing. */
  ticks?: boolean;
}

/**
 * Figures 4 and 6: residual streams of prompts before and after alignment in a plane, the two of a prompt joined.
 *
 * Rows: `prompt` (any name of it), `model` ("GPT-2" or "DPO"), `x`, `y`, `level` ("High", "Low" or "None"), and with panels
 * `vector`.
 */
export function pairedShift({ panels, ticks = true }: PairedShiftOptions = {}): object {
  const axis = ticks ? { grid: false } : { labels: false, ticks: false, grid: false };
  const size = panels ? { width: 230, height: 220 } : { width: 440, height: 300 };
  const layers = {
    ...size,
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: "shift component",
        axis,
        scale: { zero: false, nice: false, padding: 14 },
      },
      y: {
        field: "y",
        type: "quantitative",
        title: "principal component",
        axis,
        scale: { zero: false, nice: false, padding: 14 },
      },
    },
    layer: [
      {
        mark: { type: "line", color: palette.black, strokeDash: [1, 3], strokeWidth: 1, opacity: 0.6 },
        encoding: {
          detail: { field: "prompt", type: "nominal" },
          order: { field: "x", type: "quantitative" },
        },
      },
      {
        mark: { type: "point", filled: true, size: panels ? 50 : 70, opacity: 0.85 },
        encoding: {
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["shape"] }),
          ...lookEncoding("level", { looks: activationLooks, title: "activation", channels: ["color"] }),
        },
      },
    ],
  };
  if (!panels) return layers;
  return {
    facet: { field: "vector", type: "nominal", title: null, sort: panels },
    columns: 3,
    resolve: { scale: { x: "independent", y: "independent" } },
    spec: layers,
  };
}
