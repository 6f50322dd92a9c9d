import { figure, type Figure } from "../figure.js";
import { percent } from "../format.js";
import { palette } from "../theme.js";
import { nominal, ordinal, quantitative } from "./parts.js";

/** A way of un-aligning, and what it brought. */
export interface SweepPoint {
  ranking: string;
  /** how the keys are chosen: the panel */
  label: string;
  /** how many keys are scaled, by how much */
  keys: number;
  scale: number;
  toxicity: number;
  perplexity: number;
  /** share of the toxicity that DPO took away and that is back */
  restored: number;
  /** against DPO, relative */
  perplexityChange: number;
}

/**
 * What scaling keys brings back and what it costs: a panel per ranking, a field per number of keys and factor.
 *
 * @param options what the caption says, and the frames
 * @param options.cost fields whose perplexity grows by at most this are framed
 */
export function unalignSweepFigure(
  points: readonly SweepPoint[],
  { prompts, cost }: { prompts: number; cost: number },
): Figure {
  const distinct = <T>(of: (point: SweepPoint) => T): T[] => [...new Set(points.map(of))];
  const contrast = { condition: { test: "datum.restored > 0.65", value: "#ffffff" }, value: palette.black };
  const words = (field: string, mark: object): object => ({
    mark: { type: "text", ...mark },
    encoding: { text: { field }, color: contrast },
  });
  return figure({
    name: "unalign-sweep",
    title: "What scaling keys brings back, and what it costs",
    caption: `Share of the toxicity that DPO took away and that is back, on ${prompts} prompts; below it the change of perplexity against DPO. Framed: at most ${percent(cost, 0)} dearer. Panels: how keys are chosen.`,
    data: points.map((point) => {
      const { restored, perplexityChange: change } = point;
      const lower = `ppl ${change < 0 ? "−" : "+"}${percent(Math.abs(change), 1)}`;
      return { ...point, affordable: change <= cost ? "yes" : "no", upper: percent(restored, 0), lower };
    }),
    spec: {
      facet: nominal("label", null, { sort: distinct(({ label }) => label) }),
      columns: 2,
      spec: {
        width: 76 * distinct(({ keys }) => keys).length,
        height: 50 * distinct(({ scale }) => scale).length,
        encoding: {
          x: ordinal("keys", "keys scaled", { axis: { labelAngle: 0 } }),
          y: ordinal("scale", "factor", { sort: "descending" }),
        },
        layer: [
          {
            mark: { type: "rect" },
            encoding: {
              color: quantitative("restored", "toxicity restored", {
                scale: { scheme: "blues", domain: [0, 1.2], clamp: true },
                legend: { format: "~%" },
              }),
            },
          },
          {
            transform: [{ filter: "datum.affordable == 'yes'" }],
            mark: { type: "rect", fillOpacity: 0, stroke: palette.vermillion, strokeWidth: 3 },
          },
          words("upper", { dy: -7, fontSize: 14, fontWeight: "bold" }),
          words("lower", { dy: 10, fontSize: 11 }),
        ],
      },
    },
  });
}
