import { figure, type Figure, type FigureLabels } from "../figure.js";
import { palette } from "../theme.js";
import { quantitative } from "./parts.js";

const COSINE = "cosine of the change of a value vector (lower axis)";
const ACTIVATION = "mean activation of its neuron (upper axis)";

/** A bar of one of the two histograms of a panel. */
export interface PanelBar {
  layer: number;
  kind: "cosine" | "activation";
  /** the middle of the bar */
  at: number;
  share: number;
}

/** The upper axis goes from minus this to this, as published. */
const ACTIVATION_END = 0.21;

/**
 * Figures 5 and 7 to 10: a panel per MLP, in which the histogram of the cosines of its value vectors' changes with a
 * residual shift lies behind that of its neurons' mean activations, which have an axis of their own at the top.
 *
 * @param bars of the MLPs that are drawn, in the order of the panels
 */
export function cosinePanelsFigure(bars: readonly PanelBar[], labels: FigureLabels): Figure {
  const layers = [...new Set(bars.map(({ layer }) => layer))];
  return figure({ ...labels, data: bars.map((bar) => ({ ...bar })), spec: cosinePanels(layers) });
}

function cosinePanels(layers: readonly number[]): object {
  const columns = Math.min(5, layers.length);
  const area = (
    kind: PanelBar["kind"],
    label: string,
    end: number,
    opacity: number,
    orient: string,
  ): object => ({
    transform: [{ filter: `datum.kind == '${kind}'` }],
    mark: { type: "area", opacity, line: { strokeWidth: 1.5 }, interpolate: "linear" },
    encoding: {
      x: quantitative("at", null, {
        scale: { domain: [-end, end], nice: false },
        axis: {
          orient,
          values: kind === "cosine" ? [-1, -0.5, 0, 0.5, 1] : [-0.2, -0.1, 0, 0.1, 0.2],
          labelFontSize: 11,
          labelColor: kind === "cosine" ? palette.blue : palette.vermillion,
          grid: false,
          labelFlush: false,
        },
      }),
      y: quantitative("share", "share", { axis: { tickCount: 4, labelFontSize: 11 } }),
      color: { datum: label, type: "nominal" },
    },
  });
  return {
    // Side by side, not facets: these cannot have two axes for one direction.
    concat: layers.map((layer) => ({
      title: { text: `MLP of layer ${layer}`, anchor: "middle", fontSize: 12, offset: 6 },
      transform: [{ filter: `datum.layer == ${layer}` }],
      width: 150,
      height: 110,
      resolve: { scale: { x: "independent" } },
      layer: [
        area("cosine", COSINE, 1, 0.75, "bottom"),
        area("activation", ACTIVATION, ACTIVATION_END, 0.5, "top"),
      ],
    })),
    columns,
    spacing: { row: 22, column: 16 },
    resolve: { scale: { y: "shared" } },
    config: {
      legend: { orient: "bottom", direction: "vertical", labelLimit: 460 },
      range: { category: [palette.skyBlue, palette.vermillion] },
    },
  };
}
