import { figure, type Figure, type FigureLabels } from "../figure.js";
import { activationLooks, lookEncoding, palette } from "../theme.js";
import { nominal, quantitative } from "./parts.js";

/** A prompt's residual stream in the plane, in one of the two models. */
export interface PairedPoint {
  prompt: number;
  model: "GPT-2" | "DPO";
  /** along the mean shift, and along the principal component */
  x: number;
  y: number;
  level: "High" | "Low" | "None";
  /** the panel, where there are several, in the order of the data */
  vector?: string;
}

/**
 * Figures 4 and 6: residual streams of prompts before and after alignment in a plane, the two of a prompt joined.
 *
 * @param options how it is drawn
 * @param options.ticks whether axes show numbers; the published ones do not, whose units mean nothing
 */
export function pairedShiftFigure(
  points: readonly PairedPoint[],
  labels: FigureLabels,
  { ticks }: { ticks: boolean },
): Figure {
  const panels = [...new Set(points.flatMap(({ vector }) => vector ?? []))];
  const data = points.map((point) => ({ ...point }));
  return figure({ ...labels, data, spec: pairedShift(panels, ticks) });
}

function pairedShift(panels: readonly string[], ticks: boolean): object {
  const axis = ticks ? { grid: false } : { labels: false, ticks: false, grid: false };
  const place = { axis, scale: { zero: false, nice: false, padding: 14 } };
  const size = panels.length > 0 ? { width: 230, height: 220 } : { width: 440, height: 300 };
  const layers = {
    ...size,
    encoding: {
      x: quantitative("x", "shift component", place),
      y: quantitative("y", "principal component", place),
    },
    layer: [
      {
        mark: { type: "line", color: palette.black, strokeDash: [1, 3], strokeWidth: 1, opacity: 0.6 },
        encoding: { detail: nominal("prompt"), order: quantitative("x") },
      },
      {
        mark: { type: "point", filled: true, size: panels.length > 0 ? 50 : 70, opacity: 0.85 },
        encoding: {
          ...lookEncoding("model", { names: ["GPT-2", "DPO"], channels: ["shape"] }),
          ...lookEncoding("level", { looks: activationLooks, title: "activation", channels: ["color"] }),
        },
      },
    ],
  };
  if (panels.length === 0) return layers;
  return {
    facet: nominal("vector", null, { sort: panels }),
    columns: 3,
    resolve: { scale: { x: "independent", y: "independent" } },
    spec: layers,
  };
}
